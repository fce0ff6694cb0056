/** For tests: events in Postgres, and a real system with the replay actor and a witness, on a journal in a directory. */
import { join } from 'node:path';
import { ActorSystem } from '../../../runtime/actor-system.js';
import { silentLogger } from '../../../runtime/logger.js';
import { MessageIdSource } from '../../../runtime/message-id.js';
import { type JournalOptions, openJournal } from '../../../storage/journal/index.js';
import { createDeadLetterStore } from '../../../storage/postgres/dead-letters.js';
import { createPool, type Queryable } from '../../../storage/postgres/pool.js';
import { createReminderStore } from '../../../storage/postgres/reminders.js';
import { EventReplays } from '../replays.js';
import type { ReplaySettings } from '../settings.js';

export interface TestEvents {
  readonly count: number;
  readonly keys: number;
  readonly endpoint?: string;
  readonly kind?: string;
  readonly status?: string;
  /** Milliseconds since the epoch; a millisecond between each and the next. */
  readonly from: number;
  readonly meta?: boolean;
}

/** Events `n` of keys `k<n % keys>`, as the actors write them. */
export async function writeEvents(pool: Queryable, of: TestEvents): Promise<void> {
  const { count, keys, endpoint = 'shop', kind = 'paid', status = 'routed', from, meta = true } = of;
  await pool.query(
    `INSERT INTO events (id, endpoint, kind, key, dedupe, status, received_at, meta, payload)
     SELECT (left(h, 8) || '-' || right(h, 4) || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $1, $2, 'k' || n % $3, 'evt_' || lpad(n::text, 6, '0'), $4,
       to_timestamp(($5 + n)::float8 / 1000),
       CASE WHEN $6 THEN jsonb_build_object('provider', 'hmac', 'contentType', 'application/json', 'id', 'evt_' || lpad(n::text, 6, '0'), 'headers', '{}'::jsonb) END,
       convert_to('{"n":' || n || '}', 'UTF8')
     FROM generate_series(0, $7::int - 1) n, LATERAL (SELECT lpad(to_hex($5::bigint + n), 12, '0') AS h) x`,
    [endpoint, kind, keys, status, from, meta, count],
  );
}

export const ROUTED: NonNullable<ReplaySettings['endpoints']> = {
  shop: { routes: [{ to: 'replay-witness' }] },
};

/** Where replays go, the folder with what is archived, and how large the journal may be. */
export interface TestPlace {
  readonly endpoints?: NonNullable<ReplaySettings['endpoints']>;
  readonly objects?: string;
  readonly journal?: Pick<JournalOptions, 'segmentBytes' | 'bytesMax'>;
}

export async function startReplaySystem(
  directory: string,
  databaseUrl: string,
  {
    endpoints = ROUTED,
    objects = join(directory, 'objects'),
    journal = { segmentBytes: 16_777_216 },
  }: TestPlace = {},
) {
  const log = await openJournal({
    directory: join(directory, 'journal'),
    partitions: 8,
    ...journal,
  });
  const pool = createPool({
    url: databaseUrl,
    connectionsMax: 4,
    applicationName: 'tether test',
    logger: silentLogger,
  });
  const reminders = createReminderStore(pool);
  const settings: ReplaySettings = {
    databaseUrl,
    endpoints,
    objects: { driver: 'folder', directory: objects },
  };
  const system = await ActorSystem.start({
    log,
    deadLetters: createDeadLetterStore(pool),
    reminders,
    actors: [
      { module: new URL('../actor.js', import.meta.url), threads: 1, settings },
      { module: new URL('./witness.js', import.meta.url), threads: 1, settings: { databaseUrl } },
    ],
    retry: { attemptsMax: 3, delayMs: 10, delayMsMax: 50 },
    logger: silentLogger,
    logLevel: 'error',
  });
  const ids = new MessageIdSource();
  const replays = new EventReplays({
    pool,
    reminders,
    tell: (id, message) => system.ref('replay', id).tellDurably(message),
    newId: () => ids.next(Date.now()),
    now: Date.now,
    logger: silentLogger,
  });
  return {
    log,
    system,
    replays,
    settings,
    async close() {
      await system.drain(10_000);
      await log.close();
      await pool.end();
    },
  };
}
