/** The settings of the forwarding actor, checked when its thread starts and each time they change. */
import { z } from 'zod';
import { TARGETS_MAX, targetSchema } from './target-settings.js';

const Settings = z.strictObject({
  databaseUrl: z.string().min(1),
  /** Connections of each worker thread: a delivery takes one only where it waits, or stops waiting. */
  connectionsMax: z.int().min(1).max(100).default(4),
  targets: z
    .array(targetSchema)
    .max(TARGETS_MAX)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, {
      message: 'two targets have the same name',
    })
    .default([]),
  /** Deliveries that a thread remembers as made, about 250 bytes each. */
  recentMax: z.int().min(1).max(10_000_000).default(10_000),
  /** Identity of the log, when many nodes read it; undefined: it has one owner, and nothing is checked. */
  fencedBy: z.uuid().optional(),
});

export type ForwardSettings = z.input<typeof Settings>;
export type FilledForwardSettings = Readonly<z.output<typeof Settings>>;

/** @throws TypeError that names what is wrong and never quotes a value: there are secrets among them */
export function fillForwardSettings(settings: unknown): FilledForwardSettings {
  const parsed = Settings.safeParse(settings);
  if (parsed.success) return Object.freeze(parsed.data);
  const problems = parsed.error.issues.map(({ path, code }) => `${path.join('.') || 'settings'}: ${code}`);
  throw new TypeError(`settings of the forwarding actor are wrong: ${problems.join(', ')}`);
}
