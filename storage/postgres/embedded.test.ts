import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { startEmbeddedPostgres } from './embedded.js';
import { postgresProcesses } from './embedded-leftovers.js';
import { makeTemplate, openDirectory, query, start } from './fixtures/embedded-tools.js';

const preparedDirectory = await makeTemplate(t);

t.test('starts, serves, stops, and takes up the same data', async (t) => {
  const dataDir = join(await openDirectory(t), 'deeper', 'postgres');
  const first = await start(t, dataDir);
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  t.strictSame(
    await query(
      first.url,
      `SELECT current_database() AS database, current_user AS "user", getdatabaseencoding() AS encoding,
              current_setting('lc_messages') AS messages, current_setting('fsync') AS fsync,
              current_setting('synchronous_commit') AS commit, current_setting('data_checksums') AS checksums`,
    ),
    [
      {
        database: 'tether',
        user: 'tether',
        encoding: 'UTF8',
        messages: 'C',
        fsync: 'on',
        commit: 'on',
        checksums: 'on',
      },
    ],
  );
  const refused = first.url.replace(/tether:[^@]+@/, 'tether:wrong@');
  await t.rejects(query(refused, 'SELECT 1'), { code: '28P01' }, 'a wrong password is refused');
  t.equal((await stat(join(dataDir, 'tether-password'))).mode & 0o777, 0o600);

  await Promise.all([first.stop(), first.stop()]);
  await first.stop();
  t.equal(await first.exited, undefined, 'an end that was asked for is no error');
  t.strictSame(await postgresProcesses(dataDir), []);

  const second = await start(t, dataDir);
  t.strictSame(await query(second.url, 'SELECT answer FROM kept'), [{ answer: 42 }]);
  t.strictSame(await readdir(join(dataDir, '..')), ['postgres'], 'nothing unfinished beside it');
});

t.test('a server that dies by itself is reported, and its data taken up', async (t) => {
  const dataDir = await preparedDirectory(t);
  const first = await start(t, dataDir);
  await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS n');
  process.kill(first.pid, 'SIGKILL');
  t.match(await first.exited, { code: 'TETHER_POSTGRES_EMBEDDED_EXITED', reason: /SIGKILL/ });
  await first.stop();
  const second = await start(t, dataDir);
  t.strictSame(await query(second.url, 'SELECT n FROM kept'), [{ n: 1 }]);
});

t.test('a second start on a directory in use is refused, and harms nobody', async (t) => {
  const dataDir = await preparedDirectory(t);
  const first = await start(t, dataDir);
  await t.rejects(startEmbeddedPostgres({ dataDir, logger: silentLogger }), {
    code: 'TETHER_POSTGRES_EMBEDDED_BUSY',
  });
  t.strictSame(await query(first.url, 'SELECT 1 AS n'), [{ n: 1 }]);
});

t.test('directories that are not ours are refused and left alone', async (t) => {
  const root = t.testdir({ other: { PG_VERSION: '9\n' }, files: { 'letter.txt': 'dear' }, plain: 'a file' });
  const refuse = (name: string) => startEmbeddedPostgres({ dataDir: join(root, name), logger: silentLogger });
  await t.rejects(refuse('other'), {
    code: 'TETHER_POSTGRES_EMBEDDED_VERSION',
    message: /made by Postgres 9,/,
  });
  await t.rejects(refuse('files'), { code: 'TETHER_POSTGRES_EMBEDDED_DIRECTORY' });
  await t.rejects(refuse('plain'), { code: 'TETHER_POSTGRES_EMBEDDED_DIRECTORY' });
  t.strictSame(await readdir(join(root, 'files')), ['letter.txt']);
});

t.test('a start that fails says what the server said', async (t) => {
  const dataDir = await preparedDirectory(t);
  const first = await start(t, dataDir);
  await first.stop();
  await writeFile(join(dataDir, 'postgresql.auto.conf'), 'no_such_setting = 1\n');
  await t.rejects(startEmbeddedPostgres({ dataDir, logger: silentLogger }), {
    code: 'TETHER_POSTGRES_EMBEDDED_START',
    message: /no_such_setting/,
  });
  t.strictSame(await postgresProcesses(dataDir), []);
});
