/** How sure a median is: its 95 % interval, by the bootstrap of Efron (1979), percentile method. */
import { createRandom } from '../../deploy/send/random.js';
import { spread } from './table.js';

export interface Interval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 4_000;
const SEED = 1;

/** Of at least one value; the same values give the same interval. */
export function medianInterval(values: readonly number[]): Interval {
  const random = createRandom(SEED);
  const medians = Array.from({ length: RESAMPLES }, () => {
    const drawn = values.map(() => values[random.next() % values.length] as number);
    return spread(drawn).median;
  }).sort((a, b) => a - b);
  const at = (share: number) => medians[Math.min(RESAMPLES - 1, Math.floor(share * RESAMPLES))] as number;
  return { median: spread(values).median, low: at(0.025), high: at(0.975) };
}

/** `median (low to high)`. */
export function showInterval({ median, low, high }: Interval): string {
  return `${median.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
}
