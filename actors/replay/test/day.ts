/** For tests: a Postgres with a day of events, and systems that replay it. */
import type { Test } from 'tap';
import { until } from '../../../runtime/testing/until.js';
import { startTestPostgres } from '../../../storage/postgres/test-server.js';
import type { ReplayRequest } from '../replays.js';
import { startReplaySystem, type TestPlace, writeEvents } from './system.js';
import { SEEN } from './witness.js';

/** Of the first event, milliseconds since the epoch; the n-th is n later. */
export const AT = 1_700_000_000_000;
const KEYS = 300;
const DAY: ReplayRequest = { selection: { filter: { endpoint: 'shop' } }, target: undefined, forced: false };

export async function openDay(t: Test, count: number) {
  const { pool, url } = await startTestPostgres(t, { connectionsMax: 8 });
  await pool.query(SEEN);
  await writeEvents(pool, { count, keys: KEYS, from: AT });
  return {
    pool,
    url,
    async start(t: Test, place: TestPlace = {}) {
      await pool.query('TRUNCATE seen, replays, reminders');
      const system = await startReplaySystem(t.testdir(), url, place);
      t.teardown(() => system.close());
      const { replays } = system;
      return {
        ...system,
        replay: (request: Partial<ReplayRequest> = {}, rate = 10_000) =>
          replays.create({ ...DAY, ...request, rate, by: 'anna' }),
        preview: (request: Partial<ReplayRequest>) => replays.preview({ ...DAY, ...request }),
        get: async (id: string) => {
          const replay = await replays.get(id);
          if (replay === undefined) throw new Error('the replay is gone');
          return replay;
        },
        async ended(id: string) {
          await until('it has ended', async () => (await replays.get(id))?.endedAt !== undefined, 40_000);
          await until('and is handled', () => system.log.lag() === 0, 20_000);
        },
      };
    },
    /** Effects at the witness, repeats that had none, and events that came before an earlier one of their key. */
    async seen() {
      const { rows } = await pool.query<{ effects: number; repeats: number; wrong: number }>(
        `SELECT count(*)::int AS effects, coalesce(sum(times), 0)::int - count(*)::int AS repeats,
           (SELECT count(*)::int FROM (
             SELECT id < lag(id) OVER (PARTITION BY key, forced ORDER BY seq) AS is_wrong FROM seen) o WHERE is_wrong) AS wrong
         FROM seen`,
      );
      return rows[0];
    },
  };
}
