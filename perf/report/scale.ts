/** Axes: where on them a value lies, and at which round values they are marked. */
import type { Axis } from '../harness/results.js';
import { showTick } from './numbers.js';

export interface Tick {
  readonly at: number;
  readonly label: string;
}

export interface Scale {
  readonly kind: Axis['scale'];
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly Tick[];
  /** From 0 to 1, whatever the value. */
  share(value: number): number;
}

const DECADE_DIGITS = [1, 2, 5] as const;
const TICKS_MAX = 40;

/** Multiples of 1, 2 or 5 times a power of ten, about `count` of them. */
export function linearTicks(low: number, high: number, count: number): readonly number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  // At the geometric means between 1, 2, 5 and 10, so that the count is met as nearly as it can be.
  const digit = [2, 10, 50].map(Math.sqrt).findIndex((limit) => rough / power < limit);
  const step = power * (digit === -1 ? 10 : (DECADE_DIGITS[digit] as number));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.min(first + TICKS_MAX, Math.floor(high / step + 1e-9));
  return Array.from({ length: last - first + 1 }, (_, at) => exact((first + at) * step));
}

/** 1, 2 and 5 of each decade if those are at most `count`, else powers of ten, and of many of them every second or third. */
export function logTicks(low: number, high: number, count: number): readonly number[] {
  const first = Math.floor(Math.log10(low) + 1e-9);
  const last = Math.ceil(Math.log10(high) - 1e-9);
  const isWithin = (value: number) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9);
  const powers = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  const fine = powers
    .flatMap((power) => DECADE_DIGITS.map((digit) => exact(digit * 10 ** power)))
    .filter(isWithin);
  // Between 31 and 38 lies none of them.
  if (fine.length < 2) return linearTicks(low, high, count);
  if (fine.length <= count) return fine;
  const decades = powers.map((power) => exact(10 ** power)).filter(isWithin);
  if (decades.length < 2) return fine.filter((_, at) => at % 2 === 0);
  const every = Math.ceil(decades.length / count);
  return decades.filter((_, at) => at % every === 0);
}

/** Without the dust of binary fractions: 0.3 instead of 0.30000000000000004. */
function exact(value: number): number {
  return Number(value.toPrecision(12));
}

export function linearScale(low: number, high: number, count: number): Scale {
  const end = high > low ? high : low + 1;
  return {
    kind: 'linear',
    low,
    high: end,
    ticks: labelled(linearTicks(low, end, count)),
    share: (value) => clamp((value - low) / (end - low)),
  };
}

/** Of positive bounds. */
export function logScale(low: number, high: number, count: number): Scale {
  const end = high > low ? high : low * 10;
  const span = Math.log(end / low);
  return {
    kind: 'log',
    low,
    high: end,
    ticks: labelled(logTicks(low, end, count)),
    share: (value) => clamp(Math.log(Math.max(value, low) / low) / span),
  };
}

function labelled(ticks: readonly number[]): readonly Tick[] {
  return ticks.map((at) => ({ at, label: showTick(at) }));
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}

/** The next of 1, 2, 5 times a power of ten that is not above `value`, or with `up` not below it. */
export function roundOut(value: number, up = false): number {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9);
  const steps = [...DECADE_DIGITS, 10].map((digit) => exact(digit * power));
  const found = up
    ? steps.find((step) => step >= value * (1 - 1e-9))
    : steps.findLast((step) => step <= value * (1 + 1e-9));
  return found ?? value;
}
