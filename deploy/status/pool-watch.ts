/** One pool as the operators' API shows it: what it says of itself, with rates of the last seconds. */
import type { ActorView, PoolStatus } from '../../gateway/index.js';
import type { MessageLog } from '../../runtime/message-log.js';
import type { ActorStats } from '../../runtime/pool/actor-stats.js';
import { Rate } from './windowed.js';

class PoolWatch {
  readonly #actor: string;
  readonly #log: Pick<MessageLog, 'open'>;
  readonly #done = new Rate();
  #live = 0;

  constructor(actor: string, log: Pick<MessageLog, 'open'>) {
    this.#actor = actor;
    this.#log = log;
  }

  look(stats: ActorStats, at: number): PoolStatus {
    const { actor, mode, min, max, resizing, done, inFlight, live, delayMs, outage, unstable, threadsLost } =
      stats;
    this.#live = live;
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
      lag: this.#log.open(actor).reduce((sum, { end, committed }) => sum + end - committed, 0),
      live,
      delayMs,
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

  keys(): ActorView {
    return { actor: this.#actor, live: this.#live, hottest: [], deepest: [] };
  }
}

export { PoolWatch };
