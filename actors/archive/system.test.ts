/** The archive as an actor: looks come by themselves, one after another, and end when it is turned off. */
import { join } from 'node:path';
import t from 'tap';
import { ActorSystem } from '../../runtime/actor-system.js';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { openJournal } from '../../storage/journal/index.js';
import { createDeadLetterStore } from '../../storage/postgres/dead-letters.js';
import { createReminderStore } from '../../storage/postgres/reminders.js';
import type { ArchiveMessage } from './actor.js';
import { type ArchiveSettings, fillArchiveSettings } from './settings.js';
import { empBody, openBench } from './test/bench.js';

const bench = await openBench(t);
const journal = t.testdir();

async function start(settings: Partial<ArchiveSettings>) {
  const log = await openJournal({ directory: join(journal, 'j'), partitions: 4, segmentBytes: 1_048_576 });
  const system = await ActorSystem.start({
    log,
    deadLetters: createDeadLetterStore(bench.pool),
    reminders: createReminderStore(bench.pool),
    actors: [
      {
        module: new URL('./actor.js', import.meta.url),
        threads: 1,
        settings: {
          databaseUrl: bench.url,
          objects: { driver: 'folder', directory: bench.directory },
          lookMs: 50,
          ...settings,
        },
      },
    ],
    retry: { attemptsMax: 3, delayMs: 10, delayMsMax: 50 },
    logger: silentLogger,
    logLevel: 'error',
  });
  return {
    look: () => system.ref<ArchiveMessage>('archive', 'events').tellDurably({ type: 'look' }),
    async close() {
      await system.drain(10_000);
      await log.close();
    },
  };
}

const left = async () => (await bench.rows('SELECT 1 FROM events WHERE payload IS NOT NULL')).length;
const reminders = async () => (await bench.rows(`SELECT 1 FROM reminders WHERE actor = 'archive'`)).length;

t.test('one look begins them all; a restart goes on by itself', async (t) => {
  const first = await start({ afterMs: 0, patienceMs: 0, eventsMax: 10, sliceMs: 0 });
  const bodies = Array.from({ length: 35 }, (_, n) => empBody(n));
  const ids = await bench.insert(bodies);
  // With slices of nothing it never comes to a segment; the next life has time.
  await first.look();
  await until('it has set the next', async () => (await reminders()) === 1);
  await first.close();
  t.equal(await left(), 35);

  const second = await start({ afterMs: 0, patienceMs: 0, eventsMax: 10 });
  await until('all are archived', async () => (await left()) === 0);
  await bench.insert([empBody(100)]);
  await until('and what comes later', async () => (await left()) === 0);
  await second.close();
  for (const [at, id] of ids.entries()) t.ok(bodies[at]?.equals(await bench.payloadOf(id)));
  t.equal((await bench.stored()).length, 5);

  const off = await start({});
  await until('none is to come', async () => (await reminders()) === 0);
  await bench.insert([empBody(101)]);
  await off.look();
  await off.close();
  t.equal(await left(), 1);
  t.equal(await reminders(), 0);
  t.strictSame(await bench.rows('SELECT 1 FROM dead_letters'), []);
});

t.test('a store that is away ends nothing', async (t) => {
  const away = await start({
    afterMs: 0,
    patienceMs: 0,
    objects: { driver: 'folder', directory: join(bench.directory, 'not-there') },
  });
  await away.look();
  const tries = async () =>
    (await bench.rows(`SELECT 1 FROM archive_segments WHERE state = 'dropping'`)).length;
  await until('it tries again and again', async () => (await tries()) >= 3);
  await away.close();
  t.equal(await left(), 1);
  t.strictSame(await bench.rows('SELECT 1 FROM dead_letters'), []);
});

t.test('settings', async (t) => {
  const least = { databaseUrl: 'postgres://u:secret@h/d', objects: { driver: 'folder', directory: '/d' } };
  t.match(fillArchiveSettings(least), { keepDays: 0, eventsMax: 50_000, afterMs: undefined });
  for (const wrong of [
    {},
    { ...least, afterMs: -1 },
    { ...least, databaseUrl: '' },
    { ...least, keepDay: 1 },
  ]) {
    t.throws(() => fillArchiveSettings(wrong), TypeError);
  }
  const s3 = { ...least, objects: { driver: 's3', url: 'http://k:secret@h/b', encrypted: 1 } };
  const refusal = () => fillArchiveSettings(s3);
  t.throws(refusal, { message: /^settings of the archive are wrong: objects: unrecognized_keys$/ });
});
