/** For `killed.test.ts`: a process that archives, and is killed at a step. */
import { silentLogger } from '../../../runtime/logger.js';
import { MessageIdSource } from '../../../runtime/message-id.js';
import { createPool } from '../../../storage/postgres/pool.js';
import { type Intercept, intercepted } from '../../payment/test/harness.js';
import { archive } from '../archiver.js';
import { RULES, TriedStore } from './bench.js';

/** Before or behind a call of the store, or a statement that begins so. */
export type Step =
  `${'before' | 'after'} ${'put' | 'read' | 'delete' | 'INSERT' | 'UPDATE' | 'COMMIT'} ${number}`;

export interface KilledTask {
  readonly databaseUrl: string;
  readonly directory: string;
  /** Undefined: it lives. */
  readonly step: Step | undefined;
  readonly keepDays: number;
}

process.once('message', async ({ databaseUrl, directory, step, keepDays }: KilledTask) => {
  const counts = new Map<string, number>();
  const at = (when: 'before' | 'after', call: string) => {
    const name = `${when} ${call}`;
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    if (`${name} ${count}` === step) process.kill(process.pid, 'SIGKILL');
  };
  const intercept: Intercept = async (sql, run) => {
    const call = /^\s*([A-Z]+)/.exec(sql)?.[1] ?? '';
    at('before', call);
    const result = await run();
    at('after', call);
    return result;
  };
  const logger = silentLogger;
  const pool = createPool({ url: databaseUrl, connectionsMax: 2, applicationName: 'tether test', logger });
  const objects = new TriedStore(directory);
  objects.before = (call) => at('before', call);
  objects.after = (call) => at('after', call);
  const ids = new MessageIdSource();
  await archive(
    {
      pool: intercepted(pool, intercept),
      objects,
      rules: { ...RULES, keepDays, limits: { ...RULES.limits, eventsMax: 50 } },
      hold: undefined,
      nextId: () => ids.next(Date.now()),
      logger,
    },
    () => false,
  );
  await pool.end();
  process.send?.('done');
  process.disconnect();
});
