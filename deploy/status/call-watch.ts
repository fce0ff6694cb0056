/** The calls to one dependency as the operators' API shows them: of the last seconds. */
import type { Status } from '../../gateway/index.js';
import type { DependencyStats } from '../../runtime/measure/dependency-calls.js';
import { Rate, WindowedHistogram } from './windowed.js';

type CallStatus = Pick<Status['dependencies'][number], 'callsPerSecond' | 'failuresPerSecond' | 'callMs'>;

class CallWatch {
  readonly #calls = new Rate();
  readonly #failures = new Rate();
  readonly #times = new WindowedHistogram();

  /** `stats`: undefined when nothing is measured. */
  look(stats: DependencyStats | undefined, at: number): CallStatus {
    if (stats === undefined) return { callsPerSecond: 0, failuresPerSecond: 0, callMs: null };
    const count = stats.times.counts.reduce((sum, each) => sum + each, 0);
    return {
      callsPerSecond: this.#calls.sample(count, at),
      failuresPerSecond: this.#failures.sample(stats.failures, at),
      callMs: this.#times.sample(stats.times),
    };
  }
}

export { CallWatch };
