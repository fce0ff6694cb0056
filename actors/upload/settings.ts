/** The settings of the upload actor, checked once, when its thread starts. */
import { z } from 'zod';
import { ibanKeysSetting } from '../ibans/setting.js';
import { objectSettings } from '../object-settings.js';

const Settings = z.strictObject({
  databaseUrl: z.string().min(1),
  objects: objectSettings,
  /** Connections of each worker thread: an upload at work takes one. */
  connectionsMax: z.int().min(1).max(100).default(4),
  /** An upload goes to the end of the queue after so long, milliseconds, so that a large file does not hold up small ones. */
  sliceMs: z.int().min(0).max(120_000).default(20_000),
  /** Rows of one transaction, about. */
  batchRows: z.int().min(1).max(50_000).default(20_000),
  /** Identity of the log, when many nodes read it: rows are written only as long as this one reads the upload's partition. */
  fencedBy: z.uuid().optional(),
  ibanKeys: ibanKeysSetting,
});

export type UploadSettings = z.input<typeof Settings>;

export type FilledUploadSettings = Readonly<z.output<typeof Settings>>;

/** @throws TypeError that names what is wrong and never quotes a value: URLs hold passwords */
export function fillUploadSettings(settings: unknown): FilledUploadSettings {
  const parsed = Settings.safeParse(settings);
  if (parsed.success) return Object.freeze(parsed.data);
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'settings'}: ${issue.code}`);
  throw new TypeError(`settings of the upload actor are wrong: ${problems.join(', ')}`);
}
