/** One pool as the operators' API shows it: what it says of itself, with rates of the last seconds. */
import type { ActorView, PoolStatus } from '../../gateway/index.js';
import type { MessageLog } from '../../runtime/message-log.js';
import type { ActorStats } from '../../runtime/pool/actor-stats.js';
import { Rate } from './windowed.js';

/** Looks that the pace is of: batches are done in bursts. */
const PACE_LOOKS = 5;

class PoolWatch {
  readonly #actor: string;
  readonly #log: Pick<MessageLog, 'open'>;
  readonly #done = new Rate();
  /** Done at the last looks. */
  readonly #pace: { readonly at: number; readonly done: number }[] = [];
  /** Since when something waited at each look; undefined: nothing did. */
  #lagSince: number | undefined;
  #live = 0;

  constructor(actor: string, log: Pick<MessageLog, 'open'>) {
    this.#actor = actor;
    this.#log = log;
  }

  look(stats: ActorStats, at: number): PoolStatus {
    const { actor, mode, min, max, resizing, done, inFlight, live, delayMs, outage, unstable, threadsLost } =
      stats;
    this.#live = live;
    const lag = this.#log.open(actor).reduce((sum, { end, committed }) => sum + end - committed, 0);
    const { current, file, differs } = stats.settings;
    return {
      actor,
      mode,
      threads: stats.threads.map((mode, thread) => ({
        thread,
        mode,
        partitions: stats.partitions[thread] ?? 0,
        busy: null,
        heapBytes: null,
        eventLoopDelayMs: null,
      })),
      min,
      max,
      resizing,
      done,
      donePerSecond: this.#done.sample(done, at),
      inFlight,
      lag,
      live,
      delayMs,
      behindMs: Math.max(delayMs, this.#behindMs(lag, done, at)),
      queueMs: null,
      turnMs: null,
      ageMs: null,
      mailboxMax: 0,
      outage: outage ?? null,
      unstable,
      threadsLost,
      settings: { current: { ...current }, file: { ...file }, differs },
    };
  }

  /** Never more than the time since nothing waited: of a message now and then, the pace says nothing. */
  #behindMs(lag: number, done: number, at: number): number {
    this.#pace.push({ at, done });
    if (this.#pace.length > PACE_LOOKS + 1) this.#pace.shift();
    if (lag === 0) {
      this.#lagSince = undefined;
      return 0;
    }
    this.#lagSince ??= at;
    const first = this.#pace[0] ?? { at, done };
    const perMs = (done - first.done) / Math.max(1, at - first.at);
    return Math.min(at - this.#lagSince, perMs > 0 ? lag / perMs : Number.POSITIVE_INFINITY);
  }

  keys(): ActorView {
    return { actor: this.#actor, live: this.#live, hottest: [], deepest: [] };
  }
}

export { PoolWatch };
