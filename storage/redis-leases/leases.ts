/**
 * Who reads which partition, as Redis keeps it: a lease for each partition's number, over all actor types, and what each node says of itself.
 *
 * | key                  | type   | holds                                                                                 |
 * |----------------------|--------|---------------------------------------------------------------------------------------|
 * | `<prefix>:lease/<n>` | string | the holder, for as long as it renews it                                               |
 * | `<prefix>:nodes`     | hash   | of each node, by its name: JSON of `Announcement`; stays when the node dies            |
 *
 * `<prefix>:released` is a channel: the number of a lease that was given back.
 *
 * A lease decides who works, not what counts: a holder that was paused may go on for a moment after its lease has run out. What keeps it from
 * harm is the epoch (`storage/redis-log/lua/claim.ts`).
 */
import type { Announcement } from '../../runtime/cluster/membership.js';
import { type RedisClient, subscribe } from '../redis/client.js';
import { ACQUIRE } from './lua/acquire.js';
import { ANNOUNCE } from './lua/announce.js';
import { FORGET } from './lua/forget.js';
import { RELEASE } from './lua/release.js';
import { RENEW } from './lua/renew.js';

export interface RedisLeasesOptions {
  /** Fails fast. */
  readonly client: RedisClient;
  /** For news of released leases; whoever never asks for them gives its `client`. */
  readonly subscriber: RedisClient;
  readonly prefix: string;
  readonly holder: string;
  readonly ttlMs: number;
}

interface WithScripts {
  tetherAcquire(lease: string, holder: string, ttlMs: number): Promise<string>;
  tetherRenew(lease: string, holder: string, ttlMs: number): Promise<0 | 1>;
  tetherRelease(lease: string, holder: string, channel: string, text: string): Promise<0 | 1>;
  tetherAnnounce(nodes: string, node: string, words: string): Promise<string[]>;
  tetherForget(nodes: string, node: string, said: string): Promise<0 | 1>;
}

/** Each method rejects with the client's error when Redis does not answer: then nothing is known. */
export class RedisLeases {
  readonly #options: RedisLeasesOptions;
  readonly #scripts: WithScripts;
  readonly #nodes: string;
  readonly #released: string;
  /** As each node said it, to forget only that. */
  #said = new Map<string, string>();

  constructor(options: RedisLeasesOptions) {
    const { client, prefix } = options;
    this.#options = options;
    this.#nodes = `${prefix}:nodes`;
    this.#released = `${prefix}:released`;
    client.defineCommand('tetherAcquire', { lua: ACQUIRE, numberOfKeys: 1 });
    client.defineCommand('tetherRenew', { lua: RENEW, numberOfKeys: 1 });
    client.defineCommand('tetherRelease', { lua: RELEASE, numberOfKeys: 1 });
    client.defineCommand('tetherAnnounce', { lua: ANNOUNCE, numberOfKeys: 1 });
    client.defineCommand('tetherForget', { lua: FORGET, numberOfKeys: 1 });
    this.#scripts = client as unknown as WithScripts;
  }

  /** Undefined when it is ours now; else who holds it. */
  async acquire(index: number): Promise<string | undefined> {
    const { holder, ttlMs } = this.#options;
    const found = await this.#scripts.tetherAcquire(this.#lease(index), holder, ttlMs);
    return found === holder ? undefined : found;
  }

  /** Those that are still ours. */
  async renew(indexes: readonly number[]): Promise<ReadonlySet<number>> {
    const { holder, ttlMs } = this.#options;
    const renewed = await Promise.all(
      indexes.map((index) => this.#scripts.tetherRenew(this.#lease(index), holder, ttlMs)),
    );
    return new Set(indexes.filter((_, at) => renewed[at] === 1));
  }

  /** False when it was not ours any more. */
  async release(index: number): Promise<boolean> {
    const { holder } = this.#options;
    return (await this.#scripts.tetherRelease(this.#lease(index), holder, this.#released, `${index}`)) === 1;
  }

  /** Says something of this node, and hears what all have said, itself included. */
  async announce(own: Announcement): Promise<readonly Announcement[]> {
    const { node, ...said } = own;
    const all = await this.#scripts.tetherAnnounce(this.#nodes, node, JSON.stringify(said));
    this.#said = new Map();
    for (let at = 0; at < all.length; at += 2) this.#said.set(all[at] ?? '', all[at + 1] ?? '');
    return [...this.#said].flatMap(([name, text]) => parse(name, text) ?? []);
  }

  /** Removes a node that has said nothing new since it was last heard. */
  async forget(node: string): Promise<void> {
    await this.#scripts.tetherForget(this.#nodes, node, this.#said.get(node) ?? '');
  }

  /** Calls `listener` when a lease was given back. A word may be lost: whoever waits asks again by itself. */
  onReleased(listener: (index: number) => void): void {
    subscribe(this.#options.subscriber, this.#released, (text) => listener(Number(text)));
  }

  #lease(index: number): string {
    return `${this.#options.prefix}:lease/${index}`;
  }
}

/** Undefined when it is of a later version that says it otherwise. */
function parse(node: string, text: string): Announcement | undefined {
  let said: Partial<Announcement>;
  try {
    said = Object(JSON.parse(text)) as Partial<Announcement>;
  } catch {
    return undefined;
  }
  const { incarnation, beat, state, owned, role } = said;
  if (typeof incarnation !== 'string' || typeof beat !== 'number') return undefined;
  return {
    node,
    incarnation,
    beat,
    state: state === 'leaving' ? 'leaving' : 'active',
    ...(Array.isArray(owned) ? { owned: owned.filter(Number.isSafeInteger) } : {}),
    ...(role === 'gateway' ? { role } : {}),
  };
}
