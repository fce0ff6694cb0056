/** `tether up` as a user meets it: one process tree, real parts, from the curl to the row. All share one node; the last test starts it again. */
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Pool } from 'pg';
import t from 'tap';
import { VECTORS } from '../../actors/emp/test/vectors.js';
import { until } from '../../runtime/testing/until.js';
import { embeddedPostgresUrl } from '../../storage/postgres/index.js';
import { freePort } from '../../storage/test-free-port.js';
import { isAlive, type NodeProcess, startNodeProcess } from './node-process.js';
import { commandName, processTree } from './process-tree.js';

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));
const PASSWORD = 'test-api-password-1';

t.setTimeout(240_000);

const dataDir = mkdtempSync(join(tmpdir(), 'tether-up-'));
const port = await freePort();
const nodes: NodeProcess[] = [];
const pools: Pool[] = [];
t.teardown(async () => {
  for (const pool of pools) await pool.end();
  for (const node of nodes) if (isAlive(node.pid)) await node.killTree((pids) => pids);
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(): Promise<NodeProcess> {
  const node = startNodeProcess({ port, dataDir });
  nodes.push(node);
  await node.ready;
  return node;
}

/** Of the Postgres that serves now. */
async function open(): Promise<Pool> {
  const url = await embeddedPostgresUrl(join(dataDir, 'postgres'));
  if (url === undefined) throw new Error('no embedded Postgres serves');
  const pool = new Pool({ connectionString: url, max: 1 });
  pool.on('error', () => undefined);
  pools.push(pool);
  return pool;
}

const tether = (...args: string[]) =>
  promisify(execFile)(process.execPath, [CLI, ...args], {
    env: { PATH: process.env.PATH, TETHER_PORT: `${port}`, TETHER_DATA_DIR: dataDir },
  });

const sign = (id: string) => createHash('sha1').update(`${id}${PASSWORD}`).digest('hex');

function notification(id: string, fields: Readonly<Record<string, string>>): string {
  const all = { unique_id: id, transaction_type: 'sdd_sale', amount: '4999', currency: 'EUR', ...fields };
  return new URLSearchParams({ ...all, signature: sign(id) }).toString();
}

const send = (node: NodeProcess, body: string) =>
  fetch(`${node.url}/webhooks/emp/dev`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body,
  });

const rowsOf = async (pool: Pool, sql: string) => (await pool.query(sql)).rows as Record<string, unknown>[];

async function untilRows(pool: Pool, sql: string, count: number): Promise<void> {
  await until(`${count} rows of ${sql}`, async () => (await rowsOf(pool, sql)).length === count, 20_000);
}

async function untilSchema(): Promise<void> {
  await until('the schema is there', async () => {
    const answer = await fetch(`${node.url}/readyz`);
    return (await answer.text()).includes('"database":"ok"');
  });
}

const node = await start();

t.test('every documented notification is echoed and has one row, however often it comes', async (t) => {
  await until('it says what to try', () => /^ {2}curl .*\n {2}npx /m.test(node.output()));
  t.match(node.output(), /Tether listens on http:\/\/127\.0\.0\.1:\d+/);
  const line = /^ {2}curl -i '([^']+)' -d '([^']+)'$/m.exec(node.output());
  const [, url = '', sample = ''] = line ?? [];
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(sample) });
  t.match(
    await answer.text(),
    /<notification_echo>\n {2}<unique_id>44177a21403427eb96664a6d7e5d5d48<\/unique_id>/,
  );

  const bodies = Object.values(VECTORS);
  for (const round of [1, 2]) {
    const answers = await Promise.all(bodies.map((body) => send(node, body)));
    t.ok(
      answers.every(({ status }) => status === 200),
      `round ${round}`,
    );
  }
  await untilSchema();
  const pool = await open();
  await untilRows(pool, 'select 1 from events', bodies.length);
  const forged = notification('f0f0', { status: 'approved' }).replace(/signature=./, 'signature=x');
  t.equal((await send(node, forged)).status, 401);
  t.strictSame(
    await rowsOf(pool, `select 1 from events where key = 'f0f0'`),
    [],
    'a forged one leaves nothing',
  );

  const { stdout } = await tether(
    'send',
    'emp',
    '--count',
    '600',
    '--duplicates',
    '20%',
    '--rate',
    '2000',
    '--json',
    '--url',
    node.url,
  );
  const { distinct } = JSON.parse(stdout) as { readonly distinct: number };
  t.equal(distinct, 480);
  await untilRows(pool, 'select 1 from events', bodies.length + distinct);
  t.strictSame(await rowsOf(pool, 'select 1 from dead_letters'), []);
});

t.test(
  'a message that cannot be handled is a dead letter, holds up nobody, and can be replayed',
  async (t) => {
    const pool = await open();
    await untilSchema();
    await pool.query(`alter table payments add constraint cursed check (id <> 'cursed17')`);
    const bodies = Array.from({ length: 50 }, (_, n) =>
      notification(`cursed${n}`, { status: 'approved', amount: '4999' }),
    );
    await Promise.all(bodies.map((body) => send(node, body)));
    await untilRows(pool, `select 1 from events where key like 'cursed%'`, 49);
    await untilRows(pool, `select 1 from dead_letters where state = 'waiting'`, 1);
    const { stdout: listed } = await tether('dead', 'list', '--url', node.url);
    t.match(listed, /emp:cursed17/);
    const [letter] = await rowsOf(pool, 'select id, attempts from dead_letters');
    t.match(letter, { attempts: 1 }, 'a violated constraint is not tried again');
    const { stdout: shown } = await tether('dead', 'show', String(letter?.id), '--url', node.url);
    t.match(shown, /unique_id=cursed17/);

    await pool.query('alter table payments drop constraint cursed');
    await tether('dead', 'replay', String(letter?.id), '--url', node.url);
    await untilRows(pool, `select 1 from payments where id = 'cursed17'`, 1);
    await untilRows(pool, `select 1 from dead_letters where state = 'waiting'`, 0);
    await t.rejects(
      tether('dead', 'replay', String(letter?.id), '--url', node.url),
      'a second replay is refused',
    );
  },
);

t.test('each series of the reference is there, with its labels, and no others', async (t) => {
  const scrape = async (accept: string) =>
    await (await fetch(`${node.url}/metrics`, { headers: { accept } })).text();
  await until(
    'threads have told, and dead letters are counted',
    async () => {
      const text = await scrape('*/*');
      return /^tether_dead_letters_waiting \d/m.test(text) && /^tether_thread_busy_ratio.*"0"/m.test(text);
    },
    20_000,
  );
  const page = readFileSync('docs/reference/metrics.md', 'utf8');
  const documented = [...page.matchAll(/^\| `(tether_\w+)` +\| (\w+) +\| ([^|]*?) *\|/gm)];
  t.ok(documented.length > 30);
  const text = await scrape('*/*');
  const open = await scrape('application/openmetrics-text; version=1.0.0');
  for (const [, name = '', type = '', labels = ''] of documented) {
    t.ok(text.includes(`# TYPE ${name} ${type}\n`), name);
    t.ok(open.includes(`# TYPE ${type === 'counter' ? name.slice(0, -'_total'.length) : name} ${type}\n`));
    const sample = `${name}${type === 'histogram' ? '_bucket' : ''}`;
    const lines = [...text.matchAll(new RegExp(`^${sample}(?:\\{(.*)\\})? [\\d.e+-]+$`, 'gm'))];
    t.ok(lines.length > 0, `${name} has a value`);
    const names = new Set(
      lines.flatMap(([, found = '']) => [...found.matchAll(/(\w+)="/g)].map(([, n]) => n)),
    );
    t.strictSame([...names].sort(), labels.replaceAll('`', '').split(', ').filter(Boolean).sort(), name);
  }
  const values = (label: string) =>
    new Set(
      [...text.matchAll(new RegExp(`^tether_.*\\b${label}="([^"]*)"`, 'gm'))].map(([, value]) => value),
    );
  t.strictSame([...values('actor')].sort(), [
    ...['', 'archive', 'forward', 'payment', 'replay', 'upload', 'webhook'],
  ]);
  t.strictSame([...values('dependency')].sort(), ['postgres', 'redis', 's3']);
  for (const thread of values('thread')) t.match(thread, /^(main|[0-9]|[1-9][0-9])$/);
  t.match(text, /^tether_dependency_call_seconds_count\{dependency="postgres"\} [1-9]/m);
  t.match(text, /^tether_message_age_seconds_count\{actor="payment"\} [1-9]/m);
  t.match(text, /^tether_log_commit_seconds_count [1-9]/m);

  const promtool = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  t.equal(promtool.error, undefined, 'Debian’s package prometheus has promtool');
  t.strictSame(
    `${promtool.stdout}${promtool.stderr}`.split('\n').filter((line) => /tether_|error/.test(line)),
    [],
  );
});

t.test(
  'a second node on the same data, a busy port, and a directory that is not writable end with a clear line',
  async (t) => {
    const second = startNodeProcess({ port: await freePort(), dataDir });
    t.equal(await second.exited, 1);
    t.match(
      second.output(),
      new RegExp(`^tether: .*${node.pid}`, 'm'),
      'it names the process that holds the data',
    );

    const elsewhere = mkdtempSync(join(tmpdir(), 'tether-up-'));
    t.teardown(() => rmSync(elsewhere, { recursive: true, force: true }));
    const busy = startNodeProcess({ port, dataDir: elsewhere });
    t.equal(await busy.exited, 1);
    t.match(busy.output(), new RegExp(`^tether: .*${port}`, 'm'));
    t.notMatch(busy.output(), /Postgres/, 'nothing was made for it');

    const file = startNodeProcess({ port: await freePort(), dataDir: join(CLI, 'below-a-file') });
    t.not(await file.exited, 0);
    t.match(file.output(), /^tether: .*below-a-file/m);
  },
);

t.test('while Postgres is gone webhooks are acknowledged; when it is back they are processed', async (t) => {
  await untilSchema();
  const postgres = processTree(node.pid).find((pid) => commandName(pid) === 'postgres');
  if (postgres === undefined) throw new Error('no Postgres in the tree');
  process.kill(postgres, 'SIGKILL');
  const seen = until('readiness tells of it', async () => {
    const answer = await fetch(`${node.url}/readyz`);
    t.equal(answer.status, 200, 'a balancer goes on sending');
    return !(await answer.text()).includes('"database":"ok"');
  });
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => send(node, notification(`away${n}`, { status: 'approved' }))),
  );
  await seen;
  t.ok(answers.every(({ status }) => status === 200));
  await until(
    'a new Postgres serves',
    async () => {
      const pid = processTree(node.pid).find((pid) => commandName(pid) === 'postgres');
      return pid !== undefined && pid !== postgres && (await embeddedUrlServes(open));
    },
    30_000,
  );
  await untilRows(await open(), `select 1 from events where key like 'away%'`, 100);
});

async function embeddedUrlServes(open: () => Promise<Pool>): Promise<boolean> {
  try {
    await (await open()).query('select 1');
    return true;
  } catch {
    return false;
  }
}

t.test(
  'a burst of one message in parallel, again after a restart: one row; a late status is stale',
  async (t) => {
    const approved = notification('aa11', { status: 'approved' });
    const chargeback = notification('aa11', { status: 'chargebacked', event: 'chargeback', rc_code: 'MD06' });
    const answers = await Promise.all(Array.from({ length: 200 }, () => send(node, chargeback)));
    t.ok(answers.every(({ status }) => status === 200));
    const pool = await open();
    await untilRows(pool, `select 1 from events where key = 'aa11'`, 1);

    const pids = processTree(node.pid);
    t.ok(
      pids.some((pid) => commandName(pid) === 'postgres'),
      'Postgres is part of the tree',
    );
    t.equal(await node.stop('SIGINT'), 0);
    t.strictSame(pids.filter(isAlive), [], 'it leaves no process behind');

    const second = await start();
    t.equal((await send(second, chargeback)).status, 200, 'a duplicate gets the same echo');
    t.equal((await send(second, approved)).status, 200);
    const again = await open();
    await untilRows(again, `select 1 from events where key = 'aa11'`, 2);
    t.strictSame(
      await rowsOf(again, `select reported_status, status from events where key = 'aa11' order by seq`),
      [
        { reported_status: 'chargebacked', status: 'applied' },
        { reported_status: 'approved', status: 'stale' },
      ],
    );
    t.match(await rowsOf(again, `select status from payments where id = 'aa11'`), [
      { status: 'chargebacked' },
    ]);
    t.equal(await second.stop('SIGTERM'), 0);
  },
);
