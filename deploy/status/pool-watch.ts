/** One pool as the operators' API shows it: what it says of itself, with rates of the last seconds. */
import type { ActorView, PoolStatus } from '../../gateway/index.js';
import type { PoolMeasures } from '../../runtime/measure/pool-meter.js';
import type { ActorStats } from '../../runtime/pool/actor-stats.js';
import { Rate, WindowedHistogram } from './windowed.js';

/** Looks that the pace is of: batches are done in bursts. */
const PACE_LOOKS = 5;

class PoolWatch {
  readonly #actor: string;
  readonly #done = new Rate();
  /** Done at the last looks. */
  readonly #pace: { readonly at: number; readonly done: number }[] = [];
  /** Since when something waited at each look; undefined: nothing did. */
  #lagSince: number | undefined;
  #live = 0;
  #measures: PoolMeasures | undefined;
  readonly #queue = new WindowedHistogram();
  readonly #turn = new WindowedHistogram();
  readonly #age = new WindowedHistogram();

  constructor(actor: string) {
    this.#actor = actor;
  }

  /** `measures`: undefined when nothing is measured. */
  look(stats: ActorStats, measures: PoolMeasures | undefined, at: number): PoolStatus {
    const {
      actor,
      mode,
      min,
      max,
      resizing,
      done,
      inFlight,
      live,
      delayMs,
      outage,
      unstable,
      threadsLost,
      lag,
    } = stats;
    this.#live = live;
    this.#measures = measures;
    const times = measures?.times;
    const { current, file, differs } = stats.settings;
    return {
      actor,
      mode,
      threads: stats.threadStats.map(({ thread, mode, partitions, loop }) => ({
        thread,
        mode,
        partitions,
        busy: loop?.busy ?? null,
        heapBytes: loop?.heapBytes ?? null,
        eventLoopDelayMs: loop?.eventLoopDelayMs ?? null,
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
      queueMs: times === undefined ? null : this.#queue.sample(times.queue),
      turnMs: times === undefined ? null : this.#turn.sample(times.turn),
      ageMs: times === undefined ? null : this.#age.sample(times.age),
      mailboxMax: stats.mailboxMax,
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
    return {
      actor: this.#actor,
      live: this.#live,
      hottest: [...(this.#measures?.hottest ?? [])],
      deepest: [...(this.#measures?.deepest ?? [])],
    };
  }
}

export { PoolWatch };
