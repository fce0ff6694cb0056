/** All that a worker thread measures: its actors, its event loop, and its calls to what they depend on. */
import { DependencyCalls } from '../measure/dependency-calls.js';
import { LoopMeter } from '../measure/loop-meter.js';
import { type DeepMailbox, type ThreadMeasures, ThreadMeter, TOP_MAX } from '../measure/thread-meter.js';

/** An activation, as far as it is looked at. */
interface Mailboxes {
  readonly key: string;
  readonly mailbox: { readonly length: number };
  readonly durable: { readonly queued: number } | undefined;
  readonly older: Mailboxes | undefined;
}

/** A type in this thread. */
interface MeasuredHost {
  readonly keyed: boolean;
  readonly newest: Mailboxes | undefined;
  meter: ThreadMeter | undefined;
}

/** Activations that are looked at in a second, those first that were used last. */
const LOOKED_MAX = 10_000;

class Gauges {
  readonly meter = new ThreadMeter();
  readonly #loop = new LoopMeter();
  readonly #calls = new DependencyCalls();

  constructor() {
    this.#calls.listen();
  }

  /** Since the last time. */
  take(host: MeasuredHost): ThreadMeasures {
    return {
      ...this.meter.take(),
      ...this.#loop.sample(),
      ...deepestOf(host),
      calls: this.#calls.take(),
    };
  }

  stop(): void {
    this.#calls.close();
    this.#loop.stop();
  }
}

/** A thread measures, or does not, as a cell says that it shares with the main thread. */
export class Measuring {
  readonly #wanted: Int32Array;
  #gauges: Gauges | undefined;

  constructor(wanted: Int32Array) {
    this.#wanted = wanted;
    this.#follow();
  }

  /** What it measured since the last time, the last time too; undefined when it does not measure. */
  take(host: MeasuredHost): ThreadMeasures | undefined {
    const measures = this.#gauges?.take(host);
    this.#follow();
    host.meter = this.meter;
    return measures;
  }

  get meter(): ThreadMeter | undefined {
    return this.#gauges?.meter;
  }

  #follow(): void {
    const wanted = Atomics.load(this.#wanted, 0) === 1;
    if (wanted === (this.#gauges !== undefined)) return;
    this.stop();
    if (wanted) this.#gauges = new Gauges();
  }

  stop(): void {
    this.#gauges?.stop();
    this.#gauges = undefined;
  }
}

function deepestOf({
  keyed,
  newest,
}: Pick<MeasuredHost, 'keyed' | 'newest'>): Pick<ThreadMeasures, 'mailboxMax' | 'deepest'> {
  let mailboxMax = 0;
  const deep: DeepMailbox[] = [];
  let at = newest;
  for (let looked = 0; at !== undefined && looked < LOOKED_MAX; looked++) {
    const depth = at.mailbox.length + (at.durable?.queued ?? 0);
    mailboxMax = Math.max(mailboxMax, depth);
    if (depth > 0 && keyed) deep.push({ key: at.key, depth });
    at = at.older;
  }
  return { mailboxMax, deepest: deep.sort((a, b) => b.depth - a.depth).slice(0, TOP_MAX) };
}
