/** The settings of the payment actor, checked once, when its thread starts. */
import { z } from 'zod';
import { parseRedisUrl } from '../../storage/redis/url.js';
import { ibanKeysSetting } from '../ibans/setting.js';

const Settings = z.strictObject({
  databaseUrl: z.string().min(1),
  /** Connections of each worker thread: one is at work, one more lets a slow commit overlap with the next batch. */
  connectionsMax: z.int().min(1).max(100).default(2),
  /** Reason codes (`rc_code`, `reason_code`) of a chargeback that put the debtor on the blacklist. */
  blacklistCodes: z.array(z.string().min(1).max(64)),
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
  /**
   * Identity of the log, when many nodes read it: a batch is written only as long as this one reads its partitions. Undefined: the log has one
   * owner, and nothing is checked.
   */
  fencedBy: z.uuid().optional(),
  ibanKeys: ibanKeysSetting,
});

export type PaymentSettings = z.input<typeof Settings>;

export type FilledPaymentSettings = Readonly<z.output<typeof Settings>>;

/** @throws TypeError that names what is wrong and never quotes a value: the URL holds a password */
export function fillPaymentSettings(settings: unknown): FilledPaymentSettings {
  const parsed = Settings.safeParse(settings);
  if (parsed.success) return Object.freeze(parsed.data);
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'settings'}: ${issue.code}`);
  throw new TypeError(`settings of the payment actor are wrong: ${problems.join(', ')}`);
}
