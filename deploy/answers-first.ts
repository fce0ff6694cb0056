/**
 * Answers come first where cores are few. While webhooks keep the main thread busy without a rest, and it has to wait for a core that others of
 * this machine have, nothing more is sent to actors: a burst is acknowledged in less than half of the time. It is bounded: then actors work as well.
 *
 * Modes:
 *   open --busy, waits for a core, webhooks come--> deferring --rests, or no webhooks--> open
 *   deferring --deferMsMax--> spent --rests--> open
 *   any --stop--> stopped
 *
 * `npm run bench -- burst e2e` says what it does: on two cores 50,000 notifications were acknowledged 2.2 times as fast and committed a tenth later.
 * With more cores the main thread does not wait for one, and nothing is deferred.
 */
import type { Clock } from '../runtime/clock.js';
import type { ScheduleTimes } from '../runtime/measure/thread-schedule.js';

export interface AnswersFirstOptions {
  readonly gate: { shut(): void; open(): void };
  /** Of the main thread; closed by `stop`. */
  readonly schedule: { read(): ScheduleTimes; close(): void };
  /** Webhooks that were acknowledged, since the start. */
  readonly acknowledged: () => number;
  /** Deliveries are deferred no longer at a time, milliseconds; at least 1. */
  readonly deferMsMax: number;
  /** One that does not jump. */
  readonly clock: Clock;
}

export type AnswersFirstMode = 'open' | 'deferring' | 'spent' | 'stopped';

/** Between two looks; an idle node is woken as often anyhow, to see whether its event loop is late. */
const LOOK_MS = 20;
/** Shares of the time between two looks: on a core or waiting for one, and waiting for one. */
const BUSY = 0.9;
const WAITS = 0.05;
/** Below this share it rests; twice in a row, for a sync of the disk that takes long looks like a rest. */
const RESTS = 0.4;
const RESTS_IN_A_ROW = 2;

export class AnswersFirst {
  readonly #options: AnswersFirstOptions;
  #mode: AnswersFirstMode = 'open';
  #lookedAt: number;
  #times: ScheduleTimes;
  #acknowledged: number;
  #rests = 0;
  #since = 0;
  #deferredMs = 0;
  #cancelLook = () => {};

  constructor(options: AnswersFirstOptions) {
    this.#options = options;
    this.#lookedAt = options.clock.now();
    this.#times = options.schedule.read();
    this.#acknowledged = options.acknowledged();
    this.#cancelLook = options.clock.after(LOOK_MS, this.#look);
  }

  get mode(): AnswersFirstMode {
    return this.#mode;
  }

  /** So long deliveries were deferred since the start. */
  get deferredMs(): number {
    const { clock } = this.#options;
    return this.#deferredMs + (this.#mode === 'deferring' ? clock.now() - this.#since : 0);
  }

  stop(): void {
    if (this.#mode === 'stopped') return;
    this.#cancelLook();
    this.#enter('stopped', this.#options.clock.now());
    this.#options.schedule.close();
  }

  readonly #look = (): void => {
    const { clock, acknowledged, deferMsMax } = this.#options;
    const now = clock.now();
    const times = this.#read();
    if (times === undefined) return;
    const took = Math.max(1, now - this.#lookedAt);
    const waits = (times.waitedMs - this.#times.waitedMs) / took;
    const busy = (times.ranMs - this.#times.ranMs) / took + waits;
    const came = acknowledged();
    const webhooks = came > this.#acknowledged;
    this.#lookedAt = now;
    this.#times = times;
    this.#acknowledged = came;
    this.#rests = busy < RESTS || !webhooks ? this.#rests + 1 : 0;
    const rests = this.#rests >= RESTS_IN_A_ROW;
    if (this.#mode === 'open' && busy >= BUSY && waits >= WAITS && webhooks) this.#enter('deferring', now);
    else if (this.#mode === 'deferring' && rests) this.#enter('open', now);
    else if (this.#mode === 'deferring' && now - this.#since >= deferMsMax) this.#enter('spent', now);
    else if (this.#mode === 'spent' && rests) this.#enter('open', now);
    this.#cancelLook = clock.after(LOOK_MS, this.#look);
  };

  /** Undefined, and stopped, when it cannot be told any more: the gate must not stay shut for that. */
  #read(): ScheduleTimes | undefined {
    try {
      return this.#options.schedule.read();
    } catch {
      this.stop();
      return undefined;
    }
  }

  #enter(mode: AnswersFirstMode, now: number): void {
    const { gate } = this.#options;
    if (this.#mode === 'deferring') {
      this.#deferredMs += now - this.#since;
      gate.open();
    }
    this.#mode = mode;
    if (mode === 'deferring') {
      this.#since = now;
      gate.shut();
    }
  }
}
