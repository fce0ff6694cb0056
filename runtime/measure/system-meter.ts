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

  /** @param counts false: calls of this thread are not counted */
  constructor(counts: boolean) {
    if (counts) this.#calls.listen();
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
