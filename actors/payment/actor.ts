/**
 * The payment actor: EMP notifications in, events and payments out, one transaction for a batch.
 *
 * A batch costs five round trips whatever its size: begin, lock the payments, ask which messages are known, write, commit. One that puts somebody on the blacklist costs one more, or two.
 * Each message has its one effect because its event's primary key commits with the effect (P3). What is known to be done is left out
 * before: by a bounded memory of the thread, and, where there are many nodes, by one in Redis. Both save work, and nothing else.
 *
 * What a failure means:
 * - a message cannot be read: `EmpMalformedError`, before anything is done; the runtime splits the batch until that
 *   message stands alone
 * - another worker wrote the same message or payment meanwhile (two owners for a moment, after a lease was lost):
 *   `PostgresConflictError`, rolled back; the next try finds the message known, or the payment as it is now
 * - IBANs are sealed with a key that this node was not given: `IbanKeyUnknownError`, when somebody is to be put on the blacklist
 * - Postgres is away: `PostgresUnavailableError`. A commit whose answer was lost may have happened: the next try finds
 *   out by the events.
 */
import { LRUCache } from 'lru-cache';
import { defineActor, type PartitionEpoch } from '../../runtime/actor.js';
import type { Logger } from '../../runtime/logger.js';
import type { RawMessage } from '../../runtime/message.js';
import { holdEpochs } from '../../storage/postgres/fence.js';
import { createPool, inTransaction, type Pool } from '../../storage/postgres/pool.js';
import { openRecentKeys } from '../../storage/redis-idempotency/open.js';
import type { RecentKeys } from '../../storage/redis-idempotency/recent-keys.js';
import type { IbanKeys } from '../ibans/keys.js';
import { ibanKeysOf } from '../ibans/setting.js';
import { decide } from './decide.js';
import { readBatch } from './incoming.js';
import { findListed } from './listed.js';
import { odditiesOf } from './oddities.js';
import { fillPaymentSettings } from './settings.js';
import { lockPayments, selectNew, writeEffects } from './store.js';

export interface PaymentResources {
  readonly pool: Pool;
  /** `messageKey`s of messages whose effect is committed, the recent ones. */
  readonly recent: LRUCache<string, true>;
  /** The same, of all nodes. */
  readonly shared: RecentKeys | undefined;
  readonly blacklistCodes: ReadonlySet<string>;
  /** Identity of the log, when many nodes read it. */
  readonly fencedBy: string | undefined;
  /** What IBANs of the blacklist are sealed with; undefined: they are written as they are. */
  readonly ibanKeys: IbanKeys | undefined;
}

const TYPE = 'payment';
export const BATCH_MAX = 500;
/**
 * Nobody waits for the effect, and a transaction costs the same for one message as for a hundred. At the full load of 64
 * senders, two cores processed 6,100 notifications a second without lingering, 8,000 with 10 ms and 8,700 with 25 ms.
 */
const LINGER_MS = 20;

export default defineActor<unknown, undefined, PaymentResources>({
  type: TYPE,
  scope: 'thread',
  batchMax: BATCH_MAX,
  lingerMs: LINGER_MS,

  async open({ settings, logger }) {
    const filled = fillPaymentSettings(settings);
    const { databaseUrl, connectionsMax, blacklistCodes, idempotencyEntriesMax, fencedBy, ibanKeys } = filled;
    const { redisUrl, redisPrefix: prefix, redisEntriesMax: entriesMax } = filled;
    const shared = await openRecentKeys(redisUrl, { prefix, entriesMax, logger });
    return {
      pool: createPool({ url: databaseUrl, connectionsMax, applicationName: 'tether-payment', logger }),
      recent: new LRUCache({ max: idempotencyEntriesMax }),
      shared,
      blacklistCodes: new Set(blacklistCodes),
      fencedBy,
      ibanKeys: ibanKeysOf(ibanKeys),
    };
  },

  close({ pool, shared }) {
    shared?.close();
    return pool.end();
  },

  async receive(messages, { resources, logger, epochs }) {
    await handlePayments(messages, resources, logger, epochs);
  },
});

/** What the actor does, with nothing of the runtime. */
export async function handlePayments(
  messages: readonly RawMessage[],
  resources: PaymentResources,
  logger: Logger,
  epochs: readonly PartitionEpoch[] = [],
): Promise<void> {
  const { pool, recent, shared, blacklistCodes, fencedBy, ibanKeys } = resources;
  const read = readBatch(messages, recent);
  if (read.size === 0) return;
  // Before anything is asked of Postgres: where all of them are known, nothing is.
  const known = await shared?.known([...read.keys()]);
  for (const key of known ?? []) {
    recent.set(key, true);
    read.delete(key);
  }
  if (read.size === 0) return;
  const batch = [...read.values()];

  const written = await inTransaction(pool, async (client) => {
    if (fencedBy !== undefined) await holdEpochs(client, fencedBy, TYPE, epochs);
    const stored = await lockPayments(client, batch);
    const fresh = await selectNew(client, batch);
    if (fresh.length > 0) {
      const effects = decide(fresh, stored, blacklistCodes);
      await writeEffects(client, effects, await findListed(client, effects.blacklist, ibanKeys));
    }
    return fresh;
  });
  // Only now: a message remembered before its commit would be taken for done if the commit failed.
  for (const key of read.keys()) recent.set(key, true);
  // Nobody waits for it: when it is lost, Postgres knows.
  void shared?.remember([...read.keys()]);
  // Only of what took effect now, so that neither a repeat nor another try is counted again.
  const oddities = odditiesOf(written);
  if (oddities !== undefined) logger.warn(oddities, 'notifications make sense in part only');
}
