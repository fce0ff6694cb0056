/**
 * What a node itself does with the audit log: it notes its start, with the settings that it was given, beside those of its start before; and it
 * removes entries that are older than they are to be kept, a bounded number at a time.
 *
 * Of a secret it notes only how it was given. Nothing waits for it, and its failures stop nothing: they are in the log.
 */
import type { Logger } from '../runtime/logger.js';
import type { AuditTable } from '../storage/postgres/index.js';
import type { ConfigKeyView } from './config-view.js';

interface NodeAuditOptions {
  readonly table: AuditTable;
  readonly keys: readonly ConfigKeyView[];
  readonly version: string;
  /** 0: for ever. */
  readonly keepDays: number;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  now(): number;
}

const ACTION = 'node.start';
/** Of nodes that start. */
const CLIENT = 'system';
const LOOK_MS = 3_600_000;
/** Of one statement, which holds locks for as long as it runs. */
const ROWS_MAX = 10_000;
const STATEMENTS_MAX = 100;
const STOP_MS_MAX = 2_000;
/** Among which a node finds its start before. */
const STARTS_MAX = 1_000;

class NodeAudit {
  readonly #options: NodeAuditOptions;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: NodeAuditOptions) {
    this.#options = options;
  }

  /** Once, when Postgres is there. @param node its name, the same at each start on the same address */
  begin(node: string): void {
    this.#work = this.#noteStart(node).then(() => this.#trim());
    if (this.#options.keepDays === 0) return;
    this.#timer = setInterval(() => {
      this.#work = this.#work.then(() => this.#trim());
    }, LOOK_MS).unref();
  }

  /** Waits for what is under way, for `STOP_MS_MAX` at most: where Postgres does not answer, the drain goes on. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    let late: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      late = setTimeout(resolve, STOP_MS_MAX);
    });
    await Promise.race([this.#work, deadline]);
    clearTimeout(late);
  }

  async #noteStart(node: string): Promise<void> {
    const { table, keys, version, now, logger } = this.#options;
    try {
      const starts = await table.list({ action: ACTION, limit: STARTS_MAX });
      const before = starts.find(({ target }) => target === node)?.after ?? null;
      const after = { version, ...settingsOf(keys) };
      await table.record({ at: now(), client: CLIENT, action: ACTION, target: node, before, after });
    } catch (error) {
      logger.error({ err: error }, 'the start is not in the audit log');
    }
  }

  async #trim(): Promise<void> {
    const { table, keepDays, logger } = this.#options;
    if (keepDays === 0) return;
    try {
      let removed = 0;
      for (let statement = 0; statement < STATEMENTS_MAX; statement++) {
        const rows = await table.removeOlder(keepDays, ROWS_MAX);
        removed += rows;
        if (rows < ROWS_MAX) break;
      }
      if (removed > 0)
        logger.info({ removed, keepDays }, 'entries of the audit log were removed, as they are old');
    } catch (error) {
      logger.warn(
        { err: error },
        'old entries of the audit log were not removed; the next look will try again',
      );
    }
  }
}

/** What was set, by key. */
function settingsOf(keys: readonly ConfigKeyView[]): Record<string, string> {
  const set = keys.filter(({ source }) => source !== 'default');
  return Object.fromEntries(
    set.map(({ key, value, source, secret, file }) => [
      key,
      secret ? (source === 'file' ? `secret, of ${file}` : 'secret') : value,
    ]),
  );
}

export { NodeAudit };
