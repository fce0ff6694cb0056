/** The settings of the archive, checked once, when its thread starts. */
import { z } from 'zod';
import { objectSettings } from '../object-settings.js';

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

const Settings = z.strictObject({
  databaseUrl: z.string().min(1),
  objects: objectSettings,
  connectionsMax: z.int().min(1).max(100).default(2),
  /** From the effect of an event to when its payload may be archived, milliseconds; undefined: payloads stay in Postgres. */
  afterMs: z.int().min(0).optional(),
  /** From the effect of its latest event, after which a segment is removed; 0: it stays. */
  keepDays: z.int().min(0).default(0),
  /** How much longer payloads wait for a segment to be full: at low traffic, four small ones a day. */
  patienceMs: z
    .int()
    .min(0)
    .default(6 * HOUR_MS),
  /** Events of a segment. */
  eventsMax: z.int().min(1).max(1_000_000).default(50_000),
  /** Payloads of a segment; compressed, they may come to 8 MiB. */
  payloadBytesMax: z
    .int()
    .min(1)
    .default(32 * MIB),
  /** Raw, of a block: what is fetched and unpacked for one payload. */
  blockBytes: z
    .int()
    .min(1)
    .max(MIB)
    .default(64 * 1024),
  /** Between two looks at what waits. */
  lookMs: z.int().min(1).default(300_000),
  /** After so long a message to itself queues the rest. */
  sliceMs: z.int().min(0).max(120_000).default(20_000),
  /** Identity of the log, when many nodes read it: nothing is written but by the node that reads the archive's partition. */
  fencedBy: z.uuid().optional(),
});

export type ArchiveSettings = z.input<typeof Settings>;
export type FilledArchiveSettings = Readonly<z.output<typeof Settings>>;

/** @throws TypeError that names what is wrong and never quotes a value: URLs hold passwords */
export function fillArchiveSettings(settings: unknown): FilledArchiveSettings {
  const parsed = Settings.safeParse(settings);
  if (parsed.success) return Object.freeze(parsed.data);
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'settings'}: ${issue.code}`);
  throw new TypeError(`settings of the archive are wrong: ${problems.join(', ')}`);
}
