/** For tests: the forwarding actor in a real system, on a journal in a directory, with everything else in Postgres. */
import { join } from 'node:path';
import { ActorSystem } from '../../../runtime/actor-system.js';
import { silentLogger } from '../../../runtime/logger.js';
import { openJournal } from '../../../storage/journal/index.js';
import { createDeadLetterStore } from '../../../storage/postgres/dead-letters.js';
import { createPool } from '../../../storage/postgres/pool.js';
import { createReminderStore } from '../../../storage/postgres/reminders.js';
import type { WebhookDelivery } from '../../webhook/delivery.js';
import type { TargetSettings } from '../target-settings.js';
import { SECRET } from './receiver.js';

export const LOOPBACK = ['127.0.0.0/8'];

/** Quick, so that a test does not wait. */
export function targetTo(url: string, settings: Partial<TargetSettings> = {}): TargetSettings {
  return {
    name: 'shop',
    url,
    secrets: [SECRET],
    allowPrivate: LOOPBACK,
    timeoutMs: 2_000,
    retry: { delaySeconds: 1, delaySecondsMax: 1 },
    ...settings,
  };
}

export function deliveryTo(target: string, key: string, body: string): WebhookDelivery {
  return {
    type: 'webhook',
    endpoint: 'shopify',
    provider: 'hmac',
    kind: 'order.paid',
    key,
    id: `${key}-${body}`,
    receivedAt: Date.now(),
    contentType: 'application/json; charset=utf-8',
    headers: {},
    body: Buffer.from(body),
    target,
  };
}

export async function startForwardSystem(directory: string, databaseUrl: string, targets: TargetSettings[]) {
  const log = await openJournal({
    directory: join(directory, 'journal'),
    partitions: 8,
    segmentBytes: 4_194_304,
  });
  const pool = createPool({
    url: databaseUrl,
    connectionsMax: 2,
    applicationName: 'tether test',
    logger: silentLogger,
  });
  const deadLetters = createDeadLetterStore(pool);
  const system = await ActorSystem.start({
    log,
    deadLetters,
    reminders: createReminderStore(pool),
    actors: [
      { module: new URL('../actor.js', import.meta.url), threads: 1, settings: { databaseUrl, targets } },
    ],
    retry: { attemptsMax: 3, delayMs: 10, delayMsMax: 50 },
    logger: silentLogger,
    logLevel: 'error',
  });
  return {
    system,
    deadLetters,
    forward: (target: string, key: string, body: string, dedupe = `${target}:${key}:${body}`) =>
      system
        .ref<WebhookDelivery>('forward', `${target}:shopify:${key}`)
        .tellDurably(deliveryTo(target, key, body), { dedupe }),
    async close() {
      await system.drain(10_000);
      await log.close();
      await pool.end();
    },
  };
}
