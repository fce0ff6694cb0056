/**
 * What a Redis server holds, and what the commands do that Tether uses: its Lua scripts are restated here. `redis-state.test.ts` compares each
 * with a real server, so that the two cannot drift apart.
 */

/** What a server answers with an error. */
export class Refusal extends Error {
  override readonly name = 'ReplyError';
}

export type Argument = string | number | Uint8Array;
/** A word for those who listen on a channel. */
export interface Word {
  readonly channel: string;
  readonly text: string;
}

type StreamEntry = readonly [id: string, fields: readonly Uint8Array[]];

interface Kept {
  readonly hashes: Map<string, Map<string, string>>;
  readonly sets: Map<string, Set<string>>;
  readonly streams: Map<string, StreamEntry[]>;
  readonly leases: Map<string, { readonly holder: string; readonly until: number }>;
}

/** Ways to break it on purpose. */
export interface RedisFlaws {
  /** Commits are written down whoever says them. */
  readonly noEpochCheck?: boolean;
  /** After a restart it says that it is the one that it was. */
  readonly sameAgain?: boolean;
}

const nothing = (): Kept => ({ hashes: new Map(), sets: new Map(), streams: new Map(), leases: new Map() });

export class RedisState {
  #kept: Kept = nothing();
  /** At its memory limit: what is not allowed then is refused. */
  full = false;
  /** Of the process. */
  runId = 1;
  /** Words of the last command. */
  words: Word[] = [];
  readonly #flaws: RedisFlaws;
  readonly #now: () => number;

  /** @param now the server's wall clock: leases run out by it */
  constructor(now: () => number, flaws: RedisFlaws = {}) {
    this.#now = now;
    this.#flaws = flaws;
  }

  /** A copy, as an append-only file has one on its disk. */
  copy(): unknown {
    const { hashes, sets, streams, leases } = this.#kept;
    return {
      hashes: new Map(Array.from(hashes, ([key, hash]) => [key, new Map(hash)])),
      sets: new Map(Array.from(sets, ([key, set]) => [key, new Set(set)])),
      streams: new Map(Array.from(streams, ([key, stream]) => [key, [...stream]])),
      leases: new Map(leases),
    } satisfies Kept;
  }

  restore(copy: unknown): void {
    this.#kept = copy as Kept;
  }

  /** Of the frames that a copy does not have, though they may be done by now: their bodies. */
  *bodiesBeyond(copy: unknown): Iterable<Uint8Array> {
    for (const [key, stream] of this.#kept.streams) {
      const end = Number((copy as Kept).hashes.get(key.replace(/:frames$/, ':state'))?.get('end') ?? 0);
      for (const [id, fields] of stream) {
        const body = fields[3];
        if (Number.parseInt(id, 10) > end && body !== undefined) yield body;
      }
    }
  }

  /** Runs a command. @throws Refusal */
  run(name: string, given: readonly Argument[]): unknown {
    this.words = [];
    const command = COMMANDS[name];
    if (command === undefined) throw new Error(`the simulated Redis has no command ${name}`);
    return command.call(this, given);
  }

  hash(key: string): Map<string, string> {
    return ensure(this.#kept.hashes, key, () => new Map());
  }

  set(key: string): Set<string> {
    return ensure(this.#kept.sets, key, () => new Set());
  }

  stream(key: string): StreamEntry[] {
    return ensure(this.#kept.streams, key, () => []);
  }

  trim(key: string, min: number): void {
    const stream = this.stream(key);
    this.#kept.streams.set(
      key,
      stream.filter(([id]) => Number.parseInt(id, 10) >= min),
    );
  }

  /** Who holds a lease that has not run out. */
  holder(key: string): string | undefined {
    const lease = this.#kept.leases.get(key);
    if (lease === undefined || lease.until > this.#now()) return lease?.holder;
    this.#kept.leases.delete(key);
    return undefined;
  }

  lease(key: string, holder: string | undefined, ttlMs: number): void {
    if (holder === undefined) this.#kept.leases.delete(key);
    else this.#kept.leases.set(key, { holder, until: this.#now() + ttlMs });
  }

  get checksEpochs(): boolean {
    return this.#flaws.noEpochCheck !== true;
  }

  get saysRestarts(): boolean {
    return this.#flaws.sameAgain !== true;
  }

  needsRoom(): void {
    if (this.full) throw new Refusal("OOM command not allowed when used memory > 'maxmemory'.");
  }
}

type Command = (this: RedisState, given: readonly Argument[]) => unknown;

const text = (given: Argument | undefined): string =>
  given instanceof Uint8Array ? Buffer.from(given).toString() : String(given);

const COMMANDS: Readonly<Record<string, Command>> = {
  hello: () => 'OK',

  info() {
    return `run_id:${this.saysRestarts ? this.runId : 0}\r\nused_memory:${this.full ? 99 : 1}\r\nmaxmemory:100\r\n`;
  },

  hmget([key, ...fields]) {
    const hash = this.hash(text(key));
    return fields.map((field) => hash.get(text(field)) ?? null);
  },

  hsetnx([key, field, value]) {
    this.needsRoom();
    const hash = this.hash(text(key));
    if (hash.has(text(field))) return 0;
    hash.set(text(field), text(value));
    return 1;
  },

  sadd([key, member]) {
    this.needsRoom();
    const set = this.set(text(key));
    const isNew = !set.has(text(member));
    set.add(text(member));
    return isNew ? 1 : 0;
  },

  smembers([key]) {
    return [...this.set(text(key))];
  },

  /** From an id on to the end, so many. */
  xrangeBuffer([key, from, , , count]) {
    const first = Number.parseInt(text(from), 10);
    const stream = this.stream(text(key));
    const at = stream.findIndex(([id]) => Number.parseInt(id, 10) >= first);
    if (at < 0) return [];
    return stream.slice(at, at + Number(count)).map(([id, fields]) => [Buffer.from(id), fields]);
  },

  publish([channel, said]) {
    this.words.push({ channel: text(channel), text: text(said) });
    return 1;
  },

  subscribe: () => 1,

  tetherAppend([count, ...rest]) {
    this.needsRoom();
    const keys = rest.slice(0, Number(count)).map(text);
    const [channel, ...values] = rest.slice(Number(count));
    const firsts: number[] = [];
    const news: string[] = [];
    for (let at = 0; at < keys.length; at += 2) {
      const key = keys[at] as string;
      const state = this.hash(key);
      const stream = this.stream(keys[at + 1] as string);
      const [messages, body] = [values[at] as Argument, values[at + 1] as Argument];
      const first = Number(state.get('end') ?? 0);
      const last = first + Number(messages);
      const bytes = (value: Argument) => (value instanceof Uint8Array ? value : Buffer.from(String(value)));
      stream.push([`${last}-0`, [Buffer.from('n'), bytes(messages), Buffer.from('b'), bytes(body)]]);
      state.set('end', String(last));
      firsts.push(first);
      news.push(`${/{(.*?)}/.exec(key)?.[1]}:${last}`);
    }
    this.words.push({ channel: text(channel), text: news.join(' ') });
    return firsts;
  },

  tetherClaim([key]) {
    const state = this.hash(text(key));
    const epoch = Number(state.get('epoch') ?? 0) + 1;
    state.set('epoch', String(epoch));
    return [epoch, Number(state.get('committed') ?? 0), Number(state.get('end') ?? 0)];
  },

  tetherCommit([key, frames, epoch, offset]) {
    const state = this.hash(text(key));
    if (this.checksEpochs && (state.get('epoch') ?? '0') !== text(epoch)) return 0;
    const end = Number(state.get('end') ?? 0);
    if (Number(offset) > end) return -1;
    if (Number(offset) <= Number(state.get('committed') ?? 0)) return 1;
    state.set('committed', text(offset));
    // A server may keep some of them while messages are left: nobody may rely on it.
    this.trim(text(frames), Number(offset) + 1);
    return 1;
  },

  tetherAcquire([key, holder, ttlMs]) {
    const before = this.holder(text(key));
    if (before !== undefined && before !== text(holder)) return before;
    this.lease(text(key), text(holder), Number(ttlMs));
    return text(holder);
  },

  tetherRenew([key, holder, ttlMs]) {
    if (this.holder(text(key)) !== text(holder)) return 0;
    this.lease(text(key), text(holder), Number(ttlMs));
    return 1;
  },

  tetherRelease([key, holder, channel, said]) {
    if (this.holder(text(key)) !== text(holder)) return 0;
    this.lease(text(key), undefined, 0);
    this.words.push({ channel: text(channel), text: text(said) });
    return 1;
  },

  tetherAnnounce([key, node, said]) {
    const nodes = this.hash(text(key));
    nodes.set(text(node), text(said));
    return [...nodes].flat();
  },

  tetherForget([key, node, said]) {
    const nodes = this.hash(text(key));
    if (nodes.get(text(node)) !== text(said)) return 0;
    nodes.delete(text(node));
    return 1;
  },
};

function ensure<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
