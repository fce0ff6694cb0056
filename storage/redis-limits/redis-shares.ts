/**
 * How nodes share limits of actor types, as Redis keeps it: of each quota, who holds how much of it and needs how much.
 *
 * `<prefix>:limits/<actor>/<permits | tokens>` is a hash; it goes when nobody has asked for so long that the quota is full again:
 *
 * | field        | holds                                                                                                            |
 * |--------------|------------------------------------------------------------------------------------------------------------------|
 * | `s:<holder>` | number of its last question, when its share ends, units held, units needed, since when it holds any, when it last did |
 * | `credit`     | tokens in units that nobody holds                                                                                |
 * | `creditAt`   | when that was                                                                                                    |
 *
 * Times are milliseconds of Redis's own clock, and compared with nothing else.
 */
import type { Quota, ShareAnswer, ShareAsk, ShareStore } from '../../runtime/index.js';
import type { RedisClient } from '../redis/client.js';
import { ASK } from './lua/ask.js';

export interface RedisSharesOptions {
  /** Fails fast. */
  readonly client: RedisClient;
  readonly prefix: string;
  /** Of this process: one that was restarted is another. */
  readonly holder: string;
  /** For which a node keeps what it has when there are fewer units than nodes that wait, milliseconds; default 1,000. */
  readonly turnMs?: number;
}

interface WithScripts {
  tetherShare(
    quota: string,
    holder: string,
    question: number,
    ttlMs: number,
    units: number,
    held: number,
    needed: number,
    spare: string,
    fillMs: number,
    turnMs: number,
  ): Promise<readonly [-1] | readonly [number, string, 0 | 1]>;
}

const TURN_MS = 1_000;
const LEAVES = -1;

/** Each method rejects with the client's error when Redis does not answer. */
export class RedisShares implements ShareStore {
  readonly #options: RedisSharesOptions;
  readonly #scripts: WithScripts;
  #questions = 0;

  constructor(options: RedisSharesOptions) {
    this.#options = options;
    options.client.defineCommand('tetherShare', { lua: ASK, numberOfKeys: 1 });
    this.#scripts = options.client as unknown as WithScripts;
  }

  ask({ quota, held, needed, spare }: ShareAsk, ttlMs: number): Promise<ShareAnswer> {
    return this.#ask(quota, held, needed, spare, ttlMs);
  }

  async leave(quota: Quota, spare: number): Promise<void> {
    await this.#ask(quota, 0, LEAVES, spare, 1);
  }

  async #ask(
    { actor, kind, units, fillMs }: Quota,
    held: number,
    needed: number,
    spare: number,
    ttlMs: number,
  ): Promise<ShareAnswer> {
    const { prefix, holder, turnMs = TURN_MS } = this.#options;
    const [given, tokens, contended] = await this.#scripts.tetherShare(
      `${prefix}:limits/${actor}/${kind}`,
      holder,
      ++this.#questions,
      ttlMs,
      units,
      held,
      needed,
      spare.toFixed(9),
      fillMs,
      turnMs,
    );
    if (given === -1) throw new Error('a later question of this node was answered before this one');
    return { units: given, tokens: Number(tokens), contended: contended === 1 };
  }
}
