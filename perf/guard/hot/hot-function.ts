/** A hot function as the guard drives it: again and again, with the same input on both sides. */
import type { Side } from '../side.js';

export interface HotFunction {
  readonly name: string;
  /** Of one measured block. */
  readonly calls: number;
  /** Blocks until V8's optimising compiler has nothing more to do, which `unsettled` tells. Default `WARM_UP_BLOCKS`. */
  readonly warmUpBlocks?: number;
  /** @throws NotThereError (rejects) when the side has no such module, or whatever comes when it is another one than expected */
  prepare(side: Side): Promise<Driven>;
}

export const WARM_UP_BLOCKS = 8;

export interface Driven {
  /** Calls it so often. @throws Error when what it does is not what it should */
  run(calls: number): void | Promise<void>;
}

/** @throws Error when they are not equal: then base does other work than head, or none */
export function expectEqual(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what} is ${String(found)}, not ${String(expected)}`);
}
