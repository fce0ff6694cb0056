/**
 * A process on a machine of its own. It may stand still (SIGSTOP), and has then everything that came meanwhile before it at once; or end
 * without a word.
 *
 * Modes: running <-> paused; any -> dead.
 *
 * Each machine's clocks are its own: the monotonic one has another origin than those of others and goes a little faster or slower, the wall
 * clock jumps besides.
 */
import type { Clock } from '../../../runtime/clock.js';
import type { Timeline } from './timeline.js';

export class Machine {
  readonly name: string;
  /** Of its monotonic clock. */
  readonly origin: number;
  /** Its milliseconds in one of true time. */
  readonly rate: number;
  /** Of its wall clock, by jumps. */
  jumpedMs = 0;

  constructor(name: string, origin: number, rate: number) {
    this.name = name;
    this.origin = origin;
    this.rate = rate;
  }
}

const FIRST_MOMENT = Date.UTC(2026, 0, 1);

export class Process {
  readonly machine: Machine;
  readonly monotonic: Clock;
  readonly wall: Clock;
  readonly #timeline: Timeline;
  readonly #threads: Process[] = [];
  #mode: 'running' | 'paused' | 'dead' = 'running';
  #timersDue: (() => void)[] = [];
  #arrived: { readonly action: () => void; readonly quiet: boolean }[] = [];
  /** Another process has its address by now: it knows nothing of connections to this one, and says so. */
  replaced = false;
  /** Alarms that are set. */
  alarms = 0;
  /** The process has ended. */
  readonly onEnd: ((withoutWord: boolean) => void)[] = [];

  constructor(timeline: Timeline, machine: Machine) {
    this.#timeline = timeline;
    this.machine = machine;
    const { origin, rate } = machine;
    const after = (ms: number, action: () => void) => this.#after(ms, action);
    this.monotonic = { now: () => origin + timeline.now * rate, after };
    this.wall = { now: () => Math.floor(FIRST_MOMENT + timeline.now * rate + machine.jumpedMs), after };
  }

  get mode(): 'running' | 'paused' | 'dead' {
    return this.#mode;
  }

  /** A thread of it, which may end alone. */
  thread(): Process {
    const thread = new Process(this.#timeline, this.machine);
    if (this.#mode === 'dead') thread.end();
    this.#threads.push(thread);
    return thread;
  }

  /** Something comes from outside. */
  arrive(action: () => void, quiet: boolean): void {
    if (this.#mode === 'running') action();
    else if (this.#mode === 'paused') this.#arrived.push({ action, quiet });
  }

  /** At the end of this turn of its event loop. */
  readonly soon = (action: () => void): void => {
    this.#timeline.in(0, () => this.#ring(action));
  };

  /** Something goes from one of its threads to another. */
  pass(ms: number, action: () => void): void {
    this.#timeline.in(ms, () => this.arrive(action, false));
  }

  pause(): void {
    if (this.#mode === 'running') this.#mode = 'paused';
    for (const thread of this.#threads) thread.pause();
  }

  /** Timers that have come due are first, as in an event loop that goes on; what has arrived follows. Or the other way round. */
  resume(arrivedFirst: boolean): void {
    if (this.#mode !== 'paused') return;
    this.#mode = 'running';
    const timers = this.#timersDue.splice(0).map((action) => ({ action, quiet: false }));
    const arrived = this.#arrived.splice(0);
    const all = arrivedFirst ? [...arrived, ...timers] : [...timers, ...arrived];
    for (const { action, quiet } of all) this.#timeline.in(0, () => this.#again(action, quiet), quiet);
    for (const thread of this.#threads) thread.resume(arrivedFirst);
  }

  /** @param withoutWord its connections do not end by that: the machine is gone, not just the process */
  end(withoutWord = false): void {
    if (this.#mode === 'dead') return;
    this.#mode = 'dead';
    this.#timersDue = [];
    this.#arrived = [];
    for (const action of this.onEnd) action(withoutWord);
    for (const thread of this.#threads) thread.end(withoutWord);
  }

  /** It may have been paused once more before its turn. */
  #again(action: () => void, quiet: boolean): void {
    this.arrive(action, quiet);
  }

  #after(ms: number, action: () => void): () => void {
    this.alarms++;
    let mode: 'set' | 'over' = 'set';
    const ring = () => {
      if (mode === 'over') return;
      mode = 'over';
      this.alarms--;
      action();
    };
    // As setTimeout does: not at once, and never for longer than it can.
    const happening = this.#timeline.in(Math.max(1, ms) / this.machine.rate, () => this.#ring(ring));
    return () => {
      if (mode === 'over') return;
      mode = 'over';
      this.alarms--;
      happening.action = undefined;
    };
  }

  #ring(action: () => void): void {
    if (this.#mode === 'running') action();
    else if (this.#mode === 'paused') this.#timersDue.push(action);
  }
}
