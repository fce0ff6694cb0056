/** The settings of the webhook actor, checked when its thread starts and each time they change. */
import { z } from 'zod';
import { parseRedisUrl } from '../../storage/redis/url.js';
import { handlingSchema } from './route-settings.js';

const Settings = z.strictObject({
  databaseUrl: z.string().min(1),
  /** Connections of each worker thread. */
  connectionsMax: z.int().min(1).max(100).default(2),
  /** What is done with the messages of each endpoint, by its name. */
  endpoints: z.record(z.string().min(1).max(64), handlingSchema).default({}),
  /** How long a message of an endpoint that is not known here waits for it. */
  unknownMsMax: z.int().min(1).max(60_000).default(10_000),
  /** Messages that a thread remembers as handled, about 250 bytes each. */
  idempotencyEntriesMax: z.int().min(1).max(10_000_000),
  /** Where nodes tell one another which messages are done; undefined: each finds out by itself. It may hold a password. */
  redisUrl: z
    .string()
    .refine((url) => parseRedisUrl(url) !== undefined)
    .optional(),
  /** In front of every key in Redis. */
  redisPrefix: z.string().min(1).max(64).default('tether'),
  /** Messages that Redis remembers as handled, about 72 bytes each. */
  redisEntriesMax: z.int().min(1).max(1_000_000_000).default(1_000_000),
  /** Identity of the log, when many nodes read it; undefined: it has one owner, and nothing is checked. */
  fencedBy: z.uuid().optional(),
});

export type WebhookSettings = z.input<typeof Settings>;
export type FilledWebhookSettings = Readonly<z.output<typeof Settings>>;

/** @throws TypeError that says what is wrong and never quotes a value of a URL: it holds a password */
export function fillWebhookSettings(settings: unknown): FilledWebhookSettings {
  const parsed = Settings.safeParse(settings);
  if (parsed.success) return Object.freeze(parsed.data);
  const problems = parsed.error.issues.map(
    ({ path, code, message }) =>
      `${path.join('.') || 'settings'}: ${path[0] === 'endpoints' ? message : code}`,
  );
  throw new TypeError(`settings of the webhook actor are wrong: ${problems.join(', ')}`);
}
