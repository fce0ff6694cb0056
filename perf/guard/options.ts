/** What `npm run bench:guard` is told, checked. */
import { parseArgs } from 'node:util';

export interface GuardOptions {
  /** Anything that git takes for a commit; undefined: `defaultBase`. */
  readonly base: string | undefined;
  /** Of each pair of processes. */
  readonly rounds: number;
  /** Pairs of processes, one after another. */
  readonly pairs: number;
  /** Of each measurement under load. */
  readonly seconds: number;
  readonly rates: boolean;
  readonly counts: boolean;
  /** A significant loss of so many per cent is let pass. */
  readonly lossPercentMax: number;
}

export const USAGE =
  'npm run bench:guard -- [base commit] [--pairs N] [--rounds N] [--seconds N] [--only rates|counts] [--loss percent]';

/** @throws RangeError, TypeError that name the option, what was given and what is allowed */
export function readOptions(args: readonly string[]): GuardOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '4' },
      pairs: { type: 'string', default: '6' },
      seconds: { type: 'string', default: '1' },
      only: { type: 'string' },
      loss: { type: 'string', default: '3' },
    },
  });
  const { only } = values;
  if (positionals.length > 1)
    throw new RangeError(`one base commit, not ${positionals.length}: ${positionals.join(' ')}`);
  if (only !== undefined && only !== 'rates' && only !== 'counts')
    throw new RangeError(`--only is ${only}, allowed are rates and counts`);
  return {
    base: positionals[0],
    rounds: whole('--rounds', values.rounds, 1, 1_000),
    // Of fewer, all are on one side by chance too often, and the interval means nothing.
    pairs: whole('--pairs', values.pairs, 3, 100),
    seconds: whole('--seconds', values.seconds, 1, 600),
    rates: only !== 'counts',
    counts: only !== 'rates',
    lossPercentMax: share('--loss', values.loss),
  };
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max)
    throw new RangeError(`${name} is ${text}, allowed is a whole number from ${min} to ${max}`);
  return value;
}

function share(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 100))
    throw new RangeError(`${name} is ${text}, allowed are per cent from 0 to below 100`);
  return value;
}
