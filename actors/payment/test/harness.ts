/** For tests: messages as the gateway makes them, and an actor without the runtime around it. */
import { randomUUID } from 'node:crypto';
import type { PartitionEpoch } from '../../../runtime/actor.js';
import { type Logger, silentLogger } from '../../../runtime/logger.js';
import type { RawMessage } from '../../../runtime/message.js';
import type { Pool } from '../../../storage/postgres/pool.js';
import { identify } from '../../emp/keys.js';
import payment, { handlePayments, type PaymentResources } from '../actor.js';
import type { PaymentSettings } from '../settings.js';

/** The message that the gateway would append for `body`. */
export function messageOf(body: string, endpoint = 'emp', id: string = randomUUID()): RawMessage {
  const payload = Buffer.from(body, 'latin1');
  const { key, dedupe } = identify(endpoint, payload);
  return { id, key, dedupe, receivedAt: Date.now(), traceparent: '', payload, attempt: 1 };
}

/** Stands around each statement that the actor sends, `BEGIN` and `COMMIT` included. */
export type Intercept = <Result>(sql: string, run: () => Promise<Result>) => Promise<Result>;

export interface TestActor {
  readonly resources: PaymentResources;
  receive(messages: readonly RawMessage[], epochs?: readonly PartitionEpoch[]): Promise<void>;
  close(): Promise<void>;
}

export async function openActor(
  databaseUrl: string,
  settings: Partial<PaymentSettings> = {},
  intercept?: Intercept,
  logger: Logger = silentLogger,
): Promise<TestActor> {
  const filled: PaymentSettings = {
    databaseUrl,
    blacklistCodes: ['AC01', 'AC04', 'AC06', 'AG01', 'MD01'],
    idempotencyEntriesMax: 10_000,
    ...settings,
  };
  const thread = { actor: payment.type, thread: 0, settings: filled, logger };
  const opened = await payment.open?.(thread);
  if (opened === undefined) throw new TypeError('the actor opened nothing');
  const resources =
    intercept === undefined ? opened : { ...opened, pool: intercepted(opened.pool, intercept) };
  return {
    resources,
    async receive(messages, epochs) {
      await handlePayments(messages, resources, logger, epochs);
    },
    async close() {
      await payment.close?.(resources);
    },
  };
}

export function intercepted(pool: Pool, intercept: Intercept): Pool {
  return {
    statementMsMax: pool.statementMsMax,
    get counts() {
      return pool.counts;
    },
    end: () => pool.end(),
    query: (sql, values) => intercept(sql, () => pool.query(sql, values)),
    async connect() {
      const connection = await pool.connect();
      return {
        query: (sql, values) => intercept(sql, () => connection.query(sql, values)),
        copyFrom: (sql, chunks) => intercept(sql, () => connection.copyFrom(sql, chunks)),
        release: (destroy) => connection.release(destroy),
      };
    },
  };
}
