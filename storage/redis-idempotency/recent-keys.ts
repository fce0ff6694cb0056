/**
 * Idempotency keys of messages whose effect is committed, the recent ones, for all nodes: what is here need not be asked of Postgres, so that
 * a storm of duplicates costs it nothing.
 *
 * It promises speed, not correctness: what it says to be known is known, but what it does not know may be known all the same. It never throws
 * and never holds up a batch for longer than `replyMsMax`. When Redis has not answered it is left in peace for a while: an outage costs
 * one deadline in each `REST_MS`, not one for each batch.
 *
 * | key                       | type | holds                                                    |
 * |---------------------------|------|----------------------------------------------------------|
 * | `<prefix>:{seen/<n>}:0`, `:1` | set  | keys, as the first 16 bytes of their SHA-256             |
 *
 * Redis evicts nothing and keeps the log as well, so these keys have a bound of their own: `entriesMax`, at 72 bytes each (measured). Of each pair the
 * younger set takes the new keys. When it is 24 hours old, or has its share of `entriesMax`, the older one is removed and begun anew: a
 * key is known for 24 to 48 hours, or for as long as half of `entriesMax` others take to come. A key of Redis for each would cost twice as much
 * (150 bytes), and have no bound but the rate. At the memory limit of Redis nothing is added.
 *
 * Who sets Postgres back to an earlier state removes these keys: they would vouch for effects that are gone.
 *
 * Modes:
 *   asking <--> resting     a reply did not come, or was a refusal; after REST_MS
 *   any --close--> closed
 */
import { hash } from 'node:crypto';
import type { Clock } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/logger.js';
import { createClient, type RedisClient } from '../redis/client.js';
import type { RedisPlace } from '../redis/url.js';
import { KNOWN } from './known.js';
import { REMEMBER } from './remember.js';

export interface RecentKeysOptions {
  readonly place: RedisPlace;
  /** In front of every key. */
  readonly prefix: string;
  /** Keys that are kept at most, but for a batch. */
  readonly entriesMax: number;
  /** For a reply, milliseconds. */
  readonly replyMsMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface RecentKeysStats {
  readonly mode: Mode;
  /** Since it was opened: calls of `known` that Redis was asked for, and calls of either kind that it did not answer. */
  readonly asked: number;
  readonly unanswered: number;
}

type Mode = 'asking' | 'resting' | 'closed';

const NONE: ReadonlySet<string> = new Set();
const REST_MS = 5_000;
const LIFE_MS = 48 * 3_600_000;
const HASH_BYTES = 16;
/** Pairs of sets, where they spread over the nodes of a Cluster. */
const PAIRS_OF_CLUSTER = 16;

interface WithScripts {
  tetherKnown(one: string, other: string, width: number, members: Buffer): Promise<readonly number[]>;
  tetherRemember(
    one: string,
    other: string,
    width: number,
    members: Buffer,
    most: number,
    lifeMs: number,
  ): Promise<null>;
}

export class RecentKeys {
  readonly #options: RecentKeysOptions;
  readonly #client: RedisClient;
  readonly #scripts: WithScripts;
  readonly #pairs: readonly Pair[];
  #mode: Mode = 'asking';
  #cancelRest = () => {};
  #asked = 0;
  #unanswered = 0;

  /** Begins to connect; until it has, nothing is known. */
  constructor(options: RecentKeysOptions) {
    const { place, prefix, logger } = options;
    this.#options = options;
    const pairs = place.kind === 'cluster' ? PAIRS_OF_CLUSTER : 1;
    this.#pairs = Array.from({ length: pairs }, (_, n): Pair => {
      const pair = `${prefix}:{seen/${n}}`;
      return [`${pair}:0`, `${pair}:1`];
    });
    this.#client = createClient(place, {
      name: 'tether-recent-keys',
      patience: 'fails-fast',
      replyMsMax: 10 * options.replyMsMax,
    });
    this.#client.on('error', (error: unknown) => {
      logger.debug({ reason: describe(error) }, 'a connection to Redis failed');
    });
    this.#client.defineCommand('tetherKnown', { lua: KNOWN, numberOfKeys: 2 });
    this.#client.defineCommand('tetherRemember', { lua: REMEMBER, numberOfKeys: 2 });
    this.#scripts = this.#client as unknown as WithScripts;
  }

  get stats(): RecentKeysStats {
    return { mode: this.#mode, asked: this.#asked, unanswered: this.#unanswered };
  }

  /** Those of `keys` that are known to be done. */
  async known(keys: readonly string[]): Promise<ReadonlySet<string>> {
    if (!this.#usable || keys.length === 0) return NONE;
    this.#asked++;
    const known = new Set<string>();
    const look = async ({ pair: [one, other], names, members }: Share) => {
      for (const position of await this.#scripts.tetherKnown(one, other, HASH_BYTES, members)) {
        const name = names[position - 1];
        if (name !== undefined) known.add(name);
      }
    };
    await this.#try(this.#spread(keys).map(look));
    // Of a reply that comes too late nothing is added.
    return new Set(known);
  }

  /** From now on these are known, if Redis takes them. To be called when their effect is committed, and not before. */
  async remember(keys: readonly string[]): Promise<void> {
    if (!this.#usable || keys.length === 0) return;
    const most = Math.ceil(this.#options.entriesMax / 2 / this.#pairs.length);
    await this.#try(
      this.#spread(keys).map(({ pair: [one, other], members }) =>
        this.#scripts.tetherRemember(one, other, HASH_BYTES, members, most, LIFE_MS),
      ),
    );
  }

  close(): void {
    this.#cancelRest();
    this.#mode = 'closed';
    this.#client.disconnect();
  }

  get #usable(): boolean {
    return this.#mode === 'asking' && this.#client.status === 'ready';
  }

  async #try(commands: readonly Promise<unknown>[]): Promise<void> {
    const { clock, logger, replyMsMax } = this.#options;
    let cancel = () => {};
    const late = new Promise<Error>((resolve) => {
      // A turn later: where this thread was busy all the time, the reply may be there, and not read yet.
      cancel = clock.after(replyMsMax, () =>
        setImmediate(resolve, new Error(`no reply in ${replyMsMax} ms`)),
      );
    });
    // All of them: what was answered counts.
    const answered = Promise.allSettled(commands).then(
      (outcomes) => outcomes.find((outcome) => outcome.status === 'rejected')?.reason,
    );
    const failure: unknown = await Promise.race([answered, late]);
    cancel();
    if (failure === undefined) return;
    this.#unanswered++;
    if (this.#mode !== 'asking') return;
    logger.debug({ reason: describe(failure) }, 'Redis does not say which messages are known');
    this.#mode = 'resting';
    this.#cancelRest = clock.after(REST_MS, () => {
      this.#mode = 'asking';
    });
  }

  /** The keys by the sets that they are in. */
  #spread(keys: readonly string[]): readonly Share[] {
    // As text of bytes: half the time of a buffer for each.
    const hashes = keys.map((key) => hash('sha256', key, 'binary'));
    return this.#pairs
      .map((pair, n) => {
        const isHere = (_: unknown, at: number) =>
          (hashes[at]?.charCodeAt(HASH_BYTES) ?? 0) % this.#pairs.length === n;
        const members = hashes.filter(isHere).map((digest) => digest.slice(0, HASH_BYTES));
        return { pair, names: keys.filter(isHere), members: Buffer.from(members.join(''), 'latin1') };
      })
      .filter(({ names }) => names.length > 0);
  }
}

type Pair = readonly [string, string];

interface Share {
  readonly pair: Pair;
  readonly names: readonly string[];
  /** `HASH_BYTES` of each name, end to end. */
  readonly members: Buffer;
}

/** Errors of ioredis carry the command with its arguments: those are never shown. */
function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
