import t from 'tap';
import { EndpointsTable } from './endpoints.js';
import { startTestPostgres } from './test-server.js';

const { pool } = await startTestPostgres(t);
const table = new EndpointsTable(pool);

t.test('what is saved is there until it is removed, and whoever saw an older version is told', async (t) => {
  t.equal(await table.get('shop'), undefined);
  const settings = { provider: 'emp', secrets: ['s'], networks: ['192.0.2.0/24'] };
  const first = await table.save('shop', settings, 'ann', undefined);
  t.match(first, { name: 'shop', settings, changedBy: 'ann', changedAt: Date });
  t.equal(await table.save('shop', {}, 'bob', undefined), undefined, 'he saw none');
  const second = await table.save('shop', { provider: 'emp' }, 'bob', first?.version);
  t.ok((second?.version ?? 0) > (first?.version ?? 0));
  t.equal(await table.save('shop', {}, 'ann', first?.version), undefined);
  t.strictSame(await table.get('shop'), second);
  t.strictSame(await table.list(), [second]);
  t.strictSame(await table.remove('shop'), second);
  t.equal(await table.remove('shop'), undefined);
  t.strictSame(await table.list(), []);
});

t.test('of changes at once one is saved', async (t) => {
  const seen = await table.save('race', { n: 0 }, 'ann', undefined);
  const saved = await Promise.all([1, 2, 3].map((n) => table.save('race', { n }, 'ann', seen?.version)));
  t.equal(saved.filter((one) => one !== undefined).length, 1);
  await table.remove('race');
});

t.test('every change gives another stamp, one that is seen late as well', async (t) => {
  const stamps = [await table.stamp()];
  const note = async () => void stamps.push(await table.stamp());
  const a = await table.save('a', {}, 'ann', undefined);
  await note();
  const b = await table.save('b', {}, 'ann', undefined);
  await note();
  const late = await pool.connect();
  try {
    await late.query('BEGIN');
    await late.query(
      `UPDATE endpoints SET settings = '{"n":1}', version = nextval('endpoints_version') WHERE name = 'a'`,
    );
    await table.save('b', { n: 1 }, 'bob', b?.version);
    await note();
    await late.query('COMMIT');
    await note();
  } finally {
    late.release(false);
  }
  await table.remove('a');
  await note();
  await table.remove('b');
  t.equal(new Set(stamps).size, stamps.length, stamps.join(' | '));
  t.equal(await table.stamp(), '');
  t.ok((await table.save('a', {}, 'ann', undefined))?.version !== a?.version);
});
