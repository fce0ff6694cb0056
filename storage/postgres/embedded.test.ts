import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import t, { type Test } from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded.js';
import { postgresProcesses } from './embedded-leftovers.js';

const OWNER = fileURLToPath(new URL('./fixtures/embedded-owner.js', import.meta.url));

async function start(t: Test, dataDir: string): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, logger: silentLogger });
  t.teardown(() => server.stop());
  return server;
}

async function query(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function until(what: string, msMax: number, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + msMax;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${msMax} ms: ${what}`);
    await delay(20);
  }
}

/** A process of its own that runs a server on `dataDir`, and the lines it writes. */
function owner(t: Test, dataDir: string, options: { wrapper?: readonly string[]; path?: string } = {}) {
  const [program, ...args] = [...(options.wrapper ?? []), process.execPath, OWNER, dataDir];
  const PATH = [...(options.path === undefined ? [] : [options.path]), process.env.PATH].join(':');
  const child = spawn(program ?? '', args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH },
  });
  t.teardown(() => kill(child));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => String((await lines.next()).value);
  const started = async () => {
    await line();
    return JSON.parse(await line()) as { url: string; pid: number; code?: string; message?: string };
  };
  return { child, line, started };
}

// Made once and copied: making one takes most of the time that a start takes.
const template = join(t.testdir(), 'template');
const made = await startEmbeddedPostgres({ dataDir: template, logger: silentLogger });
await made.stop();

async function preparedDirectory(t: Test): Promise<string> {
  const dataDir = join(t.testdir(), 'postgres');
  await cp(template, dataDir, { recursive: true });
  return dataDir;
}

/** A directory that all users may enter, unlike perhaps this checkout. */
async function openDirectory(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tether-open-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o755);
  return directory;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

t.test('starts, serves, stops, and takes up the same data', async (t) => {
  const dataDir = join(t.testdir(), 'deeper', 'postgres');
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

t.test('it does not outlive a killed parent', async (t) => {
  const dataDir = await preparedDirectory(t);
  const { child, started } = owner(t, dataDir);
  const { url } = await started();
  await query(url, 'CREATE TABLE kept AS SELECT 7 AS n');
  await kill(child);
  await until('Postgres is gone', 10_000, async () => (await postgresProcesses(dataDir)).length === 0);
  const next = await start(t, dataDir);
  t.strictSame(await query(next.url, 'SELECT n FROM kept'), [{ n: 7 }]);
});

t.test('an orphan is stopped before a start', async (t) => {
  const dataDir = await preparedDirectory(t);
  const { child, started } = owner(t, dataDir);
  const { url, pid } = await started();
  await query(url, 'CREATE TABLE kept AS SELECT 8 AS n');
  // Stopped, it cannot act on the signal that its parent's death sends: as an orphan where that signal is missing.
  process.kill(pid, 'SIGSTOP');
  await kill(child);
  const orphans = await postgresProcesses(dataDir);
  t.ok(orphans.some((process) => process.pid === pid));
  const next = await startEmbeddedPostgres({ dataDir, logger: silentLogger, stopMsMax: 500 });
  t.teardown(() => next.stop());
  t.strictSame(await query(next.url, 'SELECT n FROM kept'), [{ n: 8 }]);
  t.not(next.pid, pid);
});

t.test(
  'a kill at any moment of the first start leaves a directory that the next start takes up',
  async (t) => {
    const seed = Number(process.env.TETHER_TEST_SEED ?? randomInt(2 ** 31));
    t.comment(`TETHER_TEST_SEED=${seed}`);
    const dataDir = await preparedDirectory(t);
    for (let round = 0; round < 4; round++) {
      const { child, line } = owner(t, dataDir);
      await line();
      await delay((seed >> (round * 7)) % 400);
      await kill(child);
    }
    const server = await start(t, dataDir);
    t.strictSame(await query(server.url, 'SELECT 1 AS n'), [{ n: 1 }]);
    t.strictSame(await readdir(join(dataDir, '..')), ['postgres']);
  },
);

t.test('a stale pid file is no hindrance, though its pid is alive', async (t) => {
  const dataDir = await preparedDirectory(t);
  const first = await start(t, dataDir);
  const file = await readFile(join(dataDir, 'postmaster.pid'), 'utf8');
  await first.stop();
  await writeFile(join(dataDir, 'postmaster.pid'), file.replace(/^\d+/, String(process.ppid)), {
    mode: 0o600,
  });
  const second = await start(t, dataDir);
  t.strictSame(await query(second.url, 'SELECT 1 AS n'), [{ n: 1 }]);
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

const asRoot = process.getuid?.() === 0;
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
/** Whether another user reaches this checkout: below a private home he does not. */
const checkoutIsOpen =
  asRoot && spawnSync('setpriv', [...NOBODY.slice(1), process.execPath, '--check', OWNER]).status === 0;

t.test(
  'an ordinary user runs it as himself',
  { skip: !checkoutIsOpen && 'needs root and an open checkout' },
  async (t) => {
    const place = await openDirectory(t);
    await chown(place, 65_534, 65_534);
    const { started } = owner(t, join(place, 'postgres'), { wrapper: NOBODY });
    const { url, pid } = await started();
    t.strictSame(await query(url, 'SELECT 1 AS n'), [{ n: 1 }]);
    t.match(await readFile(`/proc/${pid}/status`, 'utf8'), /^Uid:\t65534\t/m);
  },
);

t.test('root without user namespaces becomes nobody', { skip: !asRoot && 'needs root' }, async (t) => {
  const place = await openDirectory(t);
  const path = t.testdir({ unshare: '#!/bin/sh\necho "unshare: Operation not permitted" >&2\nexit 1\n' });
  await chmod(join(path, 'unshare'), 0o755);
  const open = await owner(t, join(place, 'postgres'), { path }).started();
  if (checkoutIsOpen) {
    t.strictSame(await query(open.url, 'SELECT 1 AS n'), [{ n: 1 }]);
    t.match(await readFile(`/proc/${open.pid}/status`, 'utf8'), /^Uid:\t65534\t/m);
    process.kill(open.pid, 'SIGINT');
  }

  await chmod(place, 0o700);
  const closed = await owner(t, join(place, 'private', 'postgres'), { path }).started();
  t.match(closed, {
    code: 'TETHER_POSTGRES_EMBEDDED_ACCOUNT',
    message: /Operation not permitted.*ordinary user/s,
  });
});
