/**
 * Runs every test file, each as a process of its own.
 *
 * tap would run them by itself, with hooks on each module that is loaded, for its coverage and mocks; in every process and thread that a test
 * starts, too. None of that is used here, and a short test took twice its time.
 *
 * What many files need and what takes long to make is made once, before the first: the data of a Postgres, to be copied, and an S3 server.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { startTestS3Server, TEST_S3_URL } from '../../storage/objects/test-s3-server.js';
import { makeTestData, TEST_DATA } from '../../storage/postgres/test-data.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Of one file; a file that takes longer says so. */
const FILE_MS_MAX = 60_000;
/** The longest ones, so that none of them is left alone at the end. */
const FIRST = ['deploy/test/', 'deploy/local/', 'gateway/uploads/', 'actors/'];
/**
 * They mostly wait: for leases and elections, for clients that are silent, for pauses between attempts. They use half a core and less, and so
 * they run one after the other beside those that compute; when they are done, their lane helps the others.
 */
const WAITS: readonly string[] = [
  'actors/forward/actor.test.js',
  'actors/replay/trouble.test.js',
  'deploy/commands/doctor.test.js',
  'deploy/commands/send.test.js',
  'deploy/commands/tune.test.js',
  'deploy/local/postgres-part.test.js',
  'deploy/send/send-emp.test.js',
  'deploy/test/console.test.js',
  'deploy/test/operations.test.js',
  'deploy/test/tune.test.js',
  'deploy/top/top-tmux.test.js',
  'gateway/console/actions.test.js',
  'gateway/exchange-time.test.js',
  'gateway/response-stream.test.js',
  'gateway/uploads/tus/races.test.js',
  'gateway/webhook-request.test.js',
  'runtime/across/asks.test.js',
  'runtime/across/flow.test.js',
  'runtime/actor-system.test.js',
  'runtime/pool/actor-pool.test.js',
  'storage/journal/lock.test.js',
  'storage/redis-log/cluster.test.js',
  'storage/redis-log/sentinel.test.js',
];

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js') && !file.includes('fixtures/'))
  .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
for (const file of WAITS) if (!files.includes(file)) throw new Error(`there is no ${file}`);
const waiting = files.filter((file) => WAITS.includes(file));
const computing = files.filter((file) => !WAITS.includes(file));
// Before the first wait: what is made once may take long on a busy machine.
t.setTimeout(0);
const env = { ...process.env, ...(await madeOnce()) };
/** tap gives whatever it spawns its hooks by NODE_OPTIONS, whatever the environment says that it is given. */
const WITHOUT_HOOKS = ['-u', 'NODE_OPTIONS', process.execPath];
const SAYS_HOOKS = `console.log('TAP version 14\\n1..1\\n' + (process.env.NODE_OPTIONS ? 'not ok' : 'ok'))`;
await t.spawn('env', [...WITHOUT_HOOKS, '--eval', SAYS_HOOKS], { env }, 'tests run without the hooks of tap');

const LANES = Number(process.env.TAP_JOBS ?? 2);
t.jobs = LANES + 1;
await Promise.all([
  ...Array.from({ length: LANES }, () => runAll(computing)),
  runAll(waiting).then(() => runAll(computing)),
]);

/** One after the other; what another lane has taken is gone. */
async function runAll(left: string[]): Promise<void> {
  for (let file = left.shift(); file !== undefined; file = left.shift()) {
    const command = [...WITHOUT_HOOKS, join(ROOT, file)];
    await t.spawn('env', command, { buffered: true, env, timeout: FILE_MS_MAX }, file);
  }
}

/** Where it is, for the environment of the test files. A part that cannot be made is left out: the files that need it make it, and say why not. */
async function madeOnce(): Promise<Record<string, string>> {
  const root = mkdtempSync(join(tmpdir(), 'tether-suite-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const data = join(root, 'postgres');
  const made = await Promise.allSettled([
    makeTestData(data).then(() => [TEST_DATA, data] as const),
    startTestS3Server(t).then(({ root }) => [TEST_S3_URL, root] as const),
  ]);
  return Object.fromEntries(made.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])));
}

function rank(file: string): number {
  const at = FIRST.findIndex((start) => file.startsWith(start));
  return at < 0 ? FIRST.length : at;
}
