/**
 * Looks after what a crash left: uploads whose receiver is gone, uploads that never got on the log, parts in the object store
 * that belong to nobody, resumable uploads that have expired.
 *
 * ```
 * idle --start--> waiting --interval--> sweeping --done--> waiting
 *                    `---------stop---------'--> stopped
 * ```
 * Each step is bounded, safe on several nodes at once, and safe to be cut off: what was not finished is found again. A step that fails
 * is logged and does not keep the others from running.
 */
import { type StaleUpload, StaleUploads } from '../../actors/upload/stale-uploads.js';
import type { UploadParts } from './parts.js';
import { expireTus } from './tus/expire.js';

/** A receiver gives a sign of life every few seconds. */
export const SILENT_MS_MAX = 120_000;
/** For a message that its request is about to send. */
const UNSENT_MS_MAX = 30_000;
export const SWEEP_INTERVAL_MS = 30_000;
/** Until the first round: it takes up what the life before left, and looks whether Postgres is there. */
const FIRST_SWEEP_MS = 2_000;
const STOP_MS_MAX = 1_000;
const LIMIT = 100;
const MULTIPARTS_MAX = 1000;
/** Before a multipart without a row is taken for forgotten: one whose row is about to be written is seconds old. */
const MULTIPART_MS_MIN = 86_400_000;

/** Of what uploads keep in the store: whole files, parts of concatenations. Others may use the same bucket. */
const PREFIXES = ['uploads/', 'partials/'];

const ABANDONED = { code: 'abandoned', detail: 'the service stopped while the file came in; send it again' };
const EXPIRED = { code: 'expired', detail: 'the upload was not completed in time' };

type Mode = 'idle' | 'waiting' | 'sweeping' | 'stopped';

export interface SweeperOptions {
  readonly parts: UploadParts;
  readonly intervalMs?: number;
  readonly silentMsMax?: number;
  readonly multipartMsMin?: number;
}

export class UploadSweeper {
  readonly #options: SweeperOptions;
  readonly #stale: StaleUploads;
  /**
   * Failed, and not gone from the store: tried again in each round, `LIMIT` at most. After a crash a multipart is found as forgotten, and
   * an object goes when its upload is removed.
   */
  readonly #leftovers = new Set<StaleUpload>();
  /** Postgres was away at the last look, and so for the signs of life of receivers that are well. */
  #isBlind = false;
  #mode: Mode = 'idle';
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#stale = new StaleUploads(options.parts.pool);
  }

  start(): void {
    if (this.#mode !== 'idle') throw new TypeError(`a sweeper that is ${this.#mode} cannot be started`);
    this.#wait(Math.min(FIRST_SWEEP_MS, this.#intervalMs));
  }

  /** Waits for the step under way, `STOP_MS_MAX` at most: one that meets a silent store has a hundred calls to wait for. */
  async stop(): Promise<void> {
    this.#mode = 'stopped';
    clearTimeout(this.#timer);
    let limit: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      limit = setTimeout(resolve, STOP_MS_MAX);
    });
    await Promise.race([this.#sweeping, late]);
    clearTimeout(limit);
  }

  /** One round. Never rejects. */
  async sweep(): Promise<void> {
    for (const [what, step] of this.#steps()) {
      if (this.#mode === 'stopped') return;
      try {
        const count = await step();
        if (count > 0) this.#options.parts.logger.info({ count }, `the sweep of uploads: ${what}`);
      } catch (error) {
        this.#options.parts.logger.warn({ err: error }, `the sweep of uploads failed: ${what}`);
      }
    }
  }

  get #intervalMs(): number {
    return this.#options.intervalMs ?? SWEEP_INTERVAL_MS;
  }

  #wait(ms: number): void {
    this.#mode = 'waiting';
    this.#timer = setTimeout(() => {
      this.#mode = 'sweeping';
      this.#sweeping = this.sweep().then(() => {
        if (this.#mode === 'sweeping') this.#wait(this.#intervalMs);
      });
    }, ms);
    this.#timer.unref();
  }

  #steps(): readonly (readonly [string, () => Promise<number>])[] {
    const { parts, silentMsMax = SILENT_MS_MAX } = this.#options;
    return [
      ['abandoned while receiving', () => this.#silent(silentMsMax)],
      ['direct and expired', () => this.#abandoned(['direct'], parts.expiryMs, EXPIRED)],
      ['emptied in the store', () => this.#emptied()],
      ['resumable and expired', () => expireTus(parts, LIMIT)],
      ['put on the log again', () => this.#unsent()],
      ['given up by the actor', async () => (await this.#stale.failGivenUp(LIMIT)).length],
      ['forgotten multiparts', () => this.#multiparts()],
    ];
  }

  /** After an outage of Postgres receivers have a round to say that they are alive. */
  async #silent(silentMs: number): Promise<number> {
    const wasBlind = this.#isBlind;
    this.#isBlind = true;
    // With a limit of 0 it only tells whether Postgres is back.
    const count = await this.#abandoned(['form', 'raw'], silentMs, ABANDONED, wasBlind ? 0 : LIMIT);
    this.#isBlind = false;
    return count;
  }

  async #abandoned(
    via: readonly ('form' | 'raw' | 'direct')[],
    silentMs: number,
    failure: typeof ABANDONED,
    max = LIMIT,
  ): Promise<number> {
    const limit = Math.min(max, LIMIT - this.#leftovers.size);
    const found = await this.#stale.failAbandoned(via, silentMs, failure, limit);
    for (const upload of found) this.#leftovers.add(upload);
    return found.length;
  }

  /** Ends at the first failure, for the store may be away and take its time to say so; the next round begins with the others. */
  async #emptied(): Promise<number> {
    const { objects } = this.#options.parts;
    const { size } = this.#leftovers;
    for (const upload of [...this.#leftovers]) {
      this.#leftovers.delete(upload);
      try {
        if (upload.multipart !== undefined) await objects.abortMultipart(upload.objectKey, upload.multipart);
        await objects.delete(upload.objectKey);
      } catch (error) {
        this.#leftovers.add(upload);
        throw error;
      }
    }
    return size;
  }

  async #unsent(): Promise<number> {
    const found = await this.#stale.takeUnsent(UNSENT_MS_MAX, LIMIT);
    for (const { id, type } of found) await this.#options.parts.enqueue(id, type);
    return found.length;
  }

  async #multiparts(): Promise<number> {
    const { objects, now, expiryMs } = this.#options.parts;
    const ageMs = this.#options.multipartMsMin ?? Math.max(MULTIPART_MS_MIN, expiryMs);
    const found = await Promise.all(PREFIXES.map((prefix) => objects.listMultiparts(prefix, MULTIPARTS_MAX)));
    const old = found.flat().filter(({ startedAt }) => startedAt.getTime() < now() - ageMs);
    if (old.length === 0) return 0;
    const used = await this.#stale.multipartsInUse(old.map(({ multipart }) => multipart));
    const forgotten = old.filter(({ multipart }) => !used.has(multipart)).slice(0, LIMIT);
    for (const { key, multipart } of forgotten) await objects.abortMultipart(key, multipart);
    return forgotten.length;
  }
}
