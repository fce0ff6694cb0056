/** The actors of a node: those that come with Tether, with settings made of its configuration, and the user's own. */
import type { PaymentSettings } from '../actors/payment/index.js';
import type { ReplaySettings } from '../actors/replay/index.js';
import type { WebhookSettings } from '../actors/webhook/settings.js';
import type { PoolSize } from '../runtime/pool/pool-size.js';
import type { ActorRegistration } from '../runtime/system-options.js';
import { archiveActor } from './archive.js';
import type { Config } from './config.js';
import { forwardSettings, handlingSettings } from './endpoints/handling.js';
import { objectSettings } from './uploads.js';

/** What actors need to know of their node beside its configuration. */
interface ActorPlace {
  readonly databaseUrl: string;
  /** Identity of the log, when many nodes read it. */
  readonly fencedBy?: string;
}

const PAYMENT_ACTOR = new URL('../actors/payment/actor.js', import.meta.url).href;
const FORWARD_ACTOR = new URL('../actors/forward/actor.js', import.meta.url).href;
const REPLAY_ACTOR = new URL('../actors/replay/actor.js', import.meta.url).href;
const UPLOAD_ACTOR = new URL('../actors/upload/actor.js', import.meta.url).href;
const WEBHOOK_ACTOR = new URL('../actors/webhook/actor.js', import.meta.url).href;

function nodeActors(config: Config, place: ActorPlace): readonly ActorRegistration[] {
  return [
    { module: PAYMENT_ACTOR, threads: config.threads, settings: paymentSettings(config, place) },
    {
      module: UPLOAD_ACTOR,
      threads: config.uploads.threads,
      youngHeapMib: 48,
      settings: { ...place, ...ibanSettings(config), objects: objectSettings(config) },
    },
    {
      module: WEBHOOK_ACTOR,
      threads: webhookThreads(config),
      lazy: true,
      settings: handlingSettings(webhookSettings(config, place), config.endpoints),
    },
    { module: FORWARD_ACTOR, threads: 1, lazy: true, settings: forwardSettings(place, config.targets) },
    archiveActor(config, place),
    {
      module: REPLAY_ACTOR,
      threads: 1,
      lazy: true,
      settings: handlingSettings(replaySettings(config, place), config.endpoints),
    },
    ...config.actors.map(({ module }) => ({ module, threads: config.threads, settings: place })),
  ];
}

function paymentSettings(config: Config, place: ActorPlace): Partial<PaymentSettings> {
  return {
    ...place,
    ...(config.redisUrl === undefined ? {} : { redisUrl: config.redisUrl }),
    ...ibanSettings(config),
    blacklistCodes: [...config.chargebackBlacklistCodes],
    idempotencyEntriesMax: config.idempotencyEntriesMax,
  };
}

function ibanSettings({ ibanKeys }: Config): { readonly ibanKeys?: string } {
  return ibanKeys === undefined ? {} : { ibanKeys };
}

/** One thread as long as nothing comes: where there are only endpoints of EMP, nothing ever does. */
function webhookThreads({ threads }: Config): PoolSize {
  return { min: 1, max: typeof threads === 'number' ? threads : threads.max };
}

function webhookSettings(config: Config, place: ActorPlace): Omit<WebhookSettings, 'endpoints'> {
  return {
    ...place,
    ...(config.redisUrl === undefined ? {} : { redisUrl: config.redisUrl }),
    idempotencyEntriesMax: config.idempotencyEntriesMax,
  };
}

/** The object store: bodies may be in the archive. */
function replaySettings(config: Config, place: ActorPlace): Omit<ReplaySettings, 'endpoints'> {
  return { ...place, objects: objectSettings(config) };
}

export { type ActorPlace, nodeActors, replaySettings, webhookSettings };
