/**
 * What the guard makes of its numbers: a loss, a gain, or nothing that this run can tell. Pure.
 *
 * | what                  | a loss is reported                     | and fails                                |
 * |-----------------------|----------------------------------------|------------------------------------------|
 * | rate                  | the whole interval of the ratio is < 1 | and its median is lower than `--loss`    |
 * | instructions per call | above `BARS`                           | above `--loss` too                       |
 * | bytes per call        | above `BARS`                           | above `BARS`                             |
 *
 * A rate or an instruction count that is lost is taken again, and the second says what is so.
 */
import type { Interval } from '../harness/interval.js';

export type Kind = 'loss' | 'gain' | 'equal';

export interface Verdict {
  readonly kind: Kind;
  readonly fails: boolean;
  /** One line, without a name of what was measured. */
  readonly text: string;
}

/** Of the counts. Of equal code, instructions differed by up to 0.2 % from run to run, bytes by up to 4, the kernel's by up to 6. */
export const BARS = {
  /** `failsAbove` is `--loss`. */
  instructions: { unit: '%', reportedAbove: 2, failsAbove: undefined },
  /** A number and the head of an object more are reported; a small object more fails. */
  bytes: { unit: 'bytes', reportedAbove: 8, failsAbove: 32 },
} as const;

export type Count = keyof typeof BARS;

const percent = (value: number) => `${value.toFixed(1)} %`;

/** @param ratio of the rates, head by base @param lossPercentMax of the median that is let pass */
export function rateVerdict(ratio: Interval, lossPercentMax: number): Verdict {
  const { median, low, high } = ratio;
  const change = percent(Math.abs(median - 1) * 100);
  const between = `${percent(Math.abs(1 - high) * 100)} to ${percent(Math.abs(1 - low) * 100)}`;
  if (high < 1) {
    const fails = (1 - median) * 100 > lossPercentMax;
    return { kind: 'loss', fails, text: `loss of ${change} (${between})` };
  }
  if (low > 1) return { kind: 'gain', fails: false, text: `gain of ${change}` };
  return { kind: 'equal', fails: false, text: 'within noise' };
}

/** The least loss, in per cent, that a run with so wide an interval is likely to tell from none: half its width. */
export function seenPercent({ low, high }: Interval): number {
  return ((high - low) / 2) * 100;
}

/** Of the same count of the same work, in base and head. */
export function countVerdict(count: Count, base: number, head: number, lossPercentMax: number): Verdict {
  const { unit, reportedAbove, failsAbove = lossPercentMax } = BARS[count];
  const grown = unit === '%' ? grownPercent(base, head) : head - base;
  const change = `${Math.abs(grown).toFixed(1)} ${unit}`;
  if (grown > Math.min(reportedAbove, failsAbove)) {
    return { kind: 'loss', fails: grown > failsAbove, text: `${change} more` };
  }
  if (grown < -reportedAbove) return { kind: 'gain', fails: false, text: `${change} less` };
  return { kind: 'equal', fails: false, text: 'equal' };
}

function grownPercent(base: number, head: number): number {
  if (base === head) return 0;
  return base === 0 ? Number.POSITIVE_INFINITY : ((head - base) / base) * 100;
}
