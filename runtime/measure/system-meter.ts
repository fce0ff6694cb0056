/** What is measured in a process: its pools, and its calls to what it depends on, those of its worker threads among them. */
import { DependencyCalls, type DependencyStats } from './dependency-calls.js';
import { type PoolMeasures, PoolMeter } from './pool-meter.js';

/** More than stats, and with keys of messages in it. */
export interface SystemMeasures {
  readonly pools: readonly PoolMeasures[];
  readonly dependencies: readonly DependencyStats[];
}

export class SystemMeter {
  readonly #calls = new DependencyCalls();
  readonly #pools: PoolMeter[] = [];

  /** 1 or 0, shared with all threads. */
  readonly isOn = new Int32Array(new SharedArrayBuffer(4));

  constructor(on: boolean) {
    this.measure(on);
  }

  /** This thread, and those of the pools, which follow within a second. */
  measure(on: boolean): void {
    Atomics.store(this.isOn, 0, on ? 1 : 0);
    this.#calls.close();
    if (on) this.#calls.listen();
  }

  /** Of the pool of one actor type, once. */
  pool(actor: string): PoolMeter {
    const meter = new PoolMeter(actor, this.#calls);
    this.#pools.push(meter);
    return meter;
  }

  measures(): SystemMeasures {
    return { pools: this.#pools.map((pool) => pool.measures()), dependencies: this.#calls.stats() };
  }

  close(): void {
    this.#calls.close();
  }
}
