import t from 'tap';
import { PoolSettingsTable } from './pool-settings.js';
import { startTestPostgres } from './test-server.js';

const { pool } = await startTestPostgres(t);
const table = new PoolSettingsTable(pool);

t.test('what is saved is there, and whoever saw an older version is told', async (t) => {
  t.equal(await table.get('payment'), undefined);
  const first = await table.save('payment', { max: 4 }, 'ann', undefined);
  t.match(first, {
    actor: 'payment',
    settings: { max: 4 },
    paused: false,
    pauseVersion: 0,
    changedBy: 'ann',
  });
  t.match(first?.changedAt, Date);
  t.equal(await table.save('payment', { max: 5 }, 'bob', undefined), undefined, 'he saw none');
  const second = await table.save('payment', { max: 6 }, 'bob', first?.version);
  t.ok((second?.version ?? 0) > (first?.version ?? 0));
  t.equal(await table.save('payment', { max: 7 }, 'ann', first?.version), undefined);
  t.strictSame(await table.get('payment'), second);
  t.strictSame(await table.list(), [second]);
});

t.test('of changes at once one is saved', async (t) => {
  const seen = await table.save('race', { max: 1 }, 'ann', undefined);
  const saved = await Promise.all([2, 3, 4].map((max) => table.save('race', { max }, 'ann', seen?.version)));
  t.equal(saved.filter((one) => one !== undefined).length, 1);
  t.strictSame(
    await table.get('race'),
    saved.find((one) => one !== undefined),
  );
});

t.test('a pause stands beside the settings, and outlives them', async (t) => {
  const settings = { batchMax: 10 };
  const saved = await table.save('upload', settings, 'ann', undefined);
  const paused = await table.pause('upload', true, 'bob');
  t.match(paused, { settings, paused: true, changedBy: 'bob', pauseVersion: paused.version });
  t.ok(paused.version > (saved?.version ?? 0));
  const changed = await table.save('upload', { batchMax: 20 }, 'ann', paused.version);
  t.match(changed, { paused: true, pauseVersion: paused.version });
  t.match(await table.reset('upload', 'ann'), { settings: {}, paused: true, pauseVersion: paused.version });
  t.match(await table.pause('upload', false, 'bob'), { settings: {}, paused: false });
  t.equal(await table.reset('upload', 'ann'), undefined);
  t.equal(await table.get('upload'), undefined, 'nothing is left');
  t.equal(await table.reset('upload', 'ann'), undefined, 'again');
});

t.test('a version is never the same twice, though the row comes and goes', async (t) => {
  const first = await table.save('back', { max: 2 }, 'ann', undefined);
  await table.reset('back', 'ann');
  const second = await table.save('back', { max: 2 }, 'ann', undefined);
  t.ok((second?.version ?? 0) > (first?.version ?? 0));
  t.equal(await table.save('back', { max: 3 }, 'bob', first?.version), undefined);
  t.match(await table.pause('new', true, 'ann'), { settings: {}, paused: true });
});
