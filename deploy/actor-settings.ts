/** The settings of the actors that come with Tether, made of the configuration of a node. */
import type { PaymentSettings } from '../actors/payment/index.js';
import type { WebhookSettings } from '../actors/webhook/settings.js';
import type { PoolSize } from '../runtime/pool/pool-size.js';
import type { Config } from './config.js';

function paymentSettings(
  config: Config,
  databaseUrl: string,
  fencing: Pick<PaymentSettings, 'fencedBy'>,
): Partial<PaymentSettings> {
  return {
    databaseUrl,
    ...fencing,
    ...(config.redisUrl === undefined ? {} : { redisUrl: config.redisUrl }),
    blacklistCodes: [...config.chargebackBlacklistCodes],
    idempotencyEntriesMax: config.idempotencyEntriesMax,
  };
}

/** One thread as long as nothing comes: where there are only endpoints of EMP, nothing ever does. */
function webhookThreads({ threads }: Config): PoolSize {
  return { min: 1, max: typeof threads === 'number' ? threads : threads.max };
}

function webhookSettings(
  config: Config,
  databaseUrl: string,
  fencing: Pick<WebhookSettings, 'fencedBy'>,
): Omit<WebhookSettings, 'endpoints'> {
  return {
    databaseUrl,
    ...fencing,
    ...(config.redisUrl === undefined ? {} : { redisUrl: config.redisUrl }),
    idempotencyEntriesMax: config.idempotencyEntriesMax,
  };
}

export { paymentSettings, webhookSettings, webhookThreads };
