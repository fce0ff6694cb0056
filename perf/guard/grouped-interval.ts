/**
 * The 95 % interval of a median of rounds that come in groups: those of one pair of processes are alike, for a process is a few per cent
 * faster or slower than its equal for as long as it lives. Drawn are first groups, then rounds within each (the two-stage bootstrap of
 * Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8). The plain bootstrap of all rounds takes them for
 * independent, and finds losses where there are none.
 */
import { createRandom } from '../../deploy/send/random.js';
import type { Interval } from '../harness/interval.js';
import { spread } from '../harness/table.js';

const RESAMPLES = 4_000;
const SEED = 1;

/** Of at least one group of at least one value; the same values give the same interval. */
export function groupedInterval(groups: readonly (readonly number[])[]): Interval {
  const random = createRandom(SEED);
  const drawn = <Item>(items: readonly Item[]) => items.map(() => items[random.below(items.length)] as Item);
  const medians = Array.from(
    { length: RESAMPLES },
    () => spread(drawn(groups).flatMap((group) => drawn(group))).median,
  ).sort((a, b) => a - b);
  const at = (share: number) => medians[Math.floor(share * (RESAMPLES - 1))] as number;
  return { median: spread(groups.flat()).median, low: at(0.025), high: at(0.975) };
}
