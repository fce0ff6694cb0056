/**
 * The level of the log, changed while the node runs.
 *
 * `debug` and `trace` are always for a time, an hour if none is said: what they write costs disk and attention, and is easily forgotten.
 */
import { z } from 'zod';
import { type ApiRoute, apiRoute } from './route.js';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
/** What it may be by configuration. */
const ALL_LEVELS = [...LEVELS, 'fatal', 'silent'] as const;
const MINUTES_MAX = 1_440;
const MINUTES_DEFAULT = 60;

export type RunningLevel = (typeof LEVELS)[number];

export interface LogLevelState {
  readonly level: (typeof ALL_LEVELS)[number];
  /** What it goes back to. */
  readonly configured: (typeof ALL_LEVELS)[number];
  /** When it does, milliseconds since the epoch; null: with the next start. */
  readonly until: number | null;
}

/** The level of this node's log. */
export interface LogLevels {
  state(): LogLevelState;
  /** @param forMs undefined: until it is set again, or the node starts again */
  set(level: RunningLevel, forMs: number | undefined): void;
}

const state = z
  .object({ level: z.enum(ALL_LEVELS), configured: z.enum(ALL_LEVELS), until: z.number().nullable() })
  .meta({ id: 'LogLevel' });

export function logLevelRoutes(levels: LogLevels): readonly ApiRoute[] {
  const path = '/api/log-level';
  const tag = 'Node';
  return [
    apiRoute({
      method: 'get',
      path,
      id: 'getLogLevel',
      tag,
      summary: 'The level of the log, and until when',
      scope: 'read',
      answer: state,
      work: () => levels.state(),
    }),
    apiRoute({
      method: 'put',
      path,
      id: 'setLogLevel',
      tag,
      summary: `Changes the level of the log of this node; debug and trace for ${MINUTES_DEFAULT} minutes if not said`,
      scope: 'operate',
      body: z.strictObject({
        level: z.enum(LEVELS),
        forMinutes: z.int().min(1).max(MINUTES_MAX).optional(),
      }),
      answer: state,
      async work({ body: { level, forMinutes }, audit }) {
        const before = levels.state();
        const isLoud = level === 'debug' || level === 'trace';
        const minutes = forMinutes ?? (isLoud ? MINUTES_DEFAULT : undefined);
        levels.set(level, minutes === undefined ? undefined : minutes * 60_000);
        const after = levels.state();
        await audit({ action: 'log-level.change', target: 'log', before, after });
        return after;
      },
    }),
  ];
}
