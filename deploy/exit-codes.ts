/**
 * The exit codes of `tether`. The numbers are those of sysexits(3), so that a supervisor can tell what a restart cannot mend
 * (64, 65, 78) from a failure that it may (1).
 */
import { TetherError } from '../runtime/errors.js';

const EXIT = Object.freeze({
  /** It did what it was asked to. A node that was told to stop and drained ends with this too. */
  ok: 0,
  /** It failed while it ran, or part of the work was not done. */
  failed: 1,
  /** Unknown command, option or argument. */
  usage: 64,
  /** What is on the disk or in the database is damaged, or of another version. */
  data: 65,
  /** The configuration is refused. */
  config: 78,
});

/** By the codes of errors. Any other is `failed`. */
const EXIT_BY_CODE: ReadonlyMap<string, number> = new Map([
  ['TETHER_USAGE', EXIT.usage],
  ['TETHER_CONFIG_REFUSED', EXIT.config],
  ['TETHER_JOURNAL_PARTITIONS', EXIT.config],
  ['TETHER_POSTGRES_EMBEDDED_UNSUPPORTED', EXIT.config],
  ['TETHER_POSTGRES_EMBEDDED_ACCOUNT', EXIT.config],
  ['TETHER_JOURNAL_DAMAGED', EXIT.data],
  ['TETHER_JOURNAL_FORMAT', EXIT.data],
  ['TETHER_ACTOR_UNKNOWN', EXIT.data],
  ['TETHER_SCHEMA_NEWER', EXIT.data],
  ['TETHER_MIGRATION_CHANGED', EXIT.data],
  ['TETHER_POSTGRES_EMBEDDED_VERSION', EXIT.data],
]);
/** Of the system, when a directory cannot be used: others (no space, an I/O error) may pass. */
const LASTING = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT'];

/** The exit code that stands for `error`. */
function exitCodeOf(error: unknown): number {
  if (!(error instanceof TetherError)) return EXIT.failed;
  const { cause } = error;
  if (error.code === 'TETHER_JOURNAL_DIRECTORY' && cause instanceof Error) {
    if (LASTING.includes(String(Reflect.get(cause, 'code')))) return EXIT.config;
  }
  return EXIT_BY_CODE.get(error.code) ?? EXIT.failed;
}

export { EXIT, exitCodeOf };
