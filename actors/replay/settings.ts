/** The settings of the replay actor, checked when its thread starts and each time they change. */
import { z } from 'zod';
import { objectSettings } from '../object-settings.js';
import { handlingSchema } from '../webhook/route-settings.js';

const Settings = z.strictObject({
  databaseUrl: z.string().min(1),
  /** Bodies may be in the archive. */
  objects: objectSettings,
  /** Connections of each worker thread: of the replays that run, each has one at a time. */
  connectionsMax: z.int().min(1).max(100).default(4),
  /** What is done with the messages of each endpoint, by its name: where a replay without a target goes. */
  endpoints: z.record(z.string().min(1).max(64), handlingSchema).default({}),
  /** Identity of the log, when many nodes read it; undefined: it has one owner, and nothing is checked. */
  fencedBy: z.uuid().optional(),
});

export type ReplaySettings = z.input<typeof Settings>;
export type FilledReplaySettings = Readonly<z.output<typeof Settings>>;

/** @throws TypeError that says what is wrong and never quotes a value of a URL: it holds a password */
export function fillReplaySettings(settings: unknown): FilledReplaySettings {
  const parsed = Settings.safeParse(settings);
  if (parsed.success) return Object.freeze(parsed.data);
  const problems = parsed.error.issues.map(
    ({ path, code, message }) =>
      `${path.join('.') || 'settings'}: ${path[0] === 'endpoints' ? message : code}`,
  );
  throw new TypeError(`settings of the replay actor are wrong: ${problems.join(', ')}`);
}
