/**
 * A journal that is full of webhooks before any was routed: it empties itself, though each of them has to go on the log again for the actor of
 * its route first, and though the process is killed while it does.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { encodeEnvelope } from '../../runtime/envelope.js';
import { partitionOf } from '../../runtime/partition.js';
import { until } from '../../runtime/testing/until.js';
import type { Journal } from '../../storage/journal/index.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { openSmallJournal, startReader } from './test/full-journal.js';
import { messageOf } from './test/harness.js';
import { WITNESSED } from './test/witness.js';

t.setTimeout(60_000);

const KEYS = 7;
const KILLS = 2;
const READER = fileURLToPath(new URL('./test/full-journal.js', import.meta.url));

function send(journal: Journal, n: number): Promise<number> {
  const message = messageOf({
    key: `cus_${n % KEYS}`,
    id: `evt_${String(n).padStart(5, '0')}`,
    body: { text: 'x'.repeat(1_400) },
  });
  const partition = journal.open('webhook')[partitionOf(message.key, journal.partitions)];
  return new Promise((appended, appendFailed) => {
    partition?.append(encodeEnvelope({ ...message, actor: 'webhook' }), { appended, appendFailed });
  });
}

t.test('it empties itself, killed or not, and each webhook has its one effect, in order', async (t) => {
  const { url, pool } = await startTestPostgres(t);
  await pool.query(WITNESSED);
  const directory = t.testdir();
  const filling = await openSmallJournal(directory);
  let sent = 0;
  while (filling.state !== 'full')
    await send(filling, sent).then(
      () => sent++,
      () => undefined,
    );
  t.ok(sent > 200, `${sent} webhooks`);
  await filling.close();

  const count = async (table: string) =>
    Number((await pool.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.n);
  for (let life = 1; life <= KILLS; life++) {
    const child = fork(READER, [directory, url]);
    t.teardown(() => void child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    const enough = (sent * life) / (KILLS + 1);
    await until(
      'some are done',
      async () => (await count('witnessed')) >= enough || child.exitCode !== null,
      20_000,
    );
    t.equal(child.exitCode, null, 'it lives until it is killed');
    child.kill('SIGKILL');
    await exited;
  }

  const journal = await openSmallJournal(directory);
  let died = 0;
  const system = await startReader(journal, url, (letters) => {
    died += letters;
  });
  t.teardown(async () => {
    await system.drain(5_000);
    await journal.close();
  });
  await until('all is done', () => journal.lag() === 0, 20_000);
  await until('it is open', () => journal.state === 'open');
  t.ok((await send(journal, sent)) >= 0, 'senders are taken again');
  await until('theirs is done as well', () => journal.lag() === 0);
  t.equal(await count('witnessed'), sent + 1);
  t.equal(await count('events'), sent + 1);
  t.equal(died, 0);
  const { rows } = await pool.query<{ key: string; ids: string[] }>(
    'SELECT key, array_agg(id ORDER BY seq) AS ids FROM witnessed GROUP BY key',
  );
  t.equal(rows.length, KEYS);
  for (const { key, ids } of rows) t.strictSame(ids, ids.toSorted(), `${key} in order`);
});
