/**
 * What a check of the doctor is: a value that says what it looks at, and a function to what it found.
 *
 * | outcome   | means                                                                     |
 * |-----------|---------------------------------------------------------------------------|
 * | `ok`      | nothing to do                                                              |
 * | `warning` | a node works, and something is worth a thought                             |
 * | `failed`  | a node does not work, or loses messages, or is open to others              |
 * | `skipped` | there is nothing to look at here, or it cannot be seen; `found` says why   |
 *
 * A check changes nothing. One that must write to see has a probe of its own, and hands the removal of it to `undo` before it makes it.
 */

import type { ConfigKey } from '../config-keys.js';
import type { Endpoint } from '../endpoint.js';
import type { Environment, Mode, Settings } from '../settings.js';

type Outcome = 'ok' | 'warning' | 'failed' | 'skipped';

interface Finding {
  readonly outcome: Outcome;
  /** What there is, with its numbers; a sentence without a full stop. */
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** What the doctor looks at. */
interface Subject {
  /** What the node would be started with. */
  readonly mode: Mode;
  readonly env: Environment;
  /** With what stands in files of secrets. */
  readonly resolvedEnv: Environment;
  /** Secret keys that a file was named for: absolute paths. */
  readonly secretFiles: ReadonlyMap<ConfigKey, string>;
  /** The file of the environment; absolute, there or not. */
  readonly envFile: string;
  readonly settings: Settings;
  /** Keys whose value is refused; `settings` has the default. */
  readonly refused: ReadonlySet<ConfigKey>;
  readonly endpoints: readonly Endpoint[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

interface CheckContext extends Subject {
  /** Aborted when the check has ended, is given up, or the doctor is interrupted. */
  readonly signal: AbortSignal;
  /** `work` is done when the check has ended, however it has; the last that was handed in is the first. */
  undo(work: () => Promise<void>): void;
}

interface Check {
  readonly id: string;
  readonly title: string;
  run(context: CheckContext): Promise<Finding> | Finding;
}

interface Group {
  /** Stands for all of its checks in `--only` and `--skip`. */
  readonly id: string;
  readonly title: string;
  readonly checks: readonly Check[];
}

const ok = (found: string): Finding => ({ outcome: 'ok', found });
const warning = (found: string, advice: string): Finding => ({ outcome: 'warning', found, advice });
const failed = (found: string, advice: string): Finding => ({ outcome: 'failed', found, advice });
const skipped = (found: string): Finding => ({ outcome: 'skipped', found });

export {
  type Check,
  type CheckContext,
  type Finding,
  failed,
  type Group,
  type Outcome,
  ok,
  type Subject,
  skipped,
  warning,
};
