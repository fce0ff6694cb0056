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

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js') && !file.includes('fixtures/'))
  .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
// Before the first wait: what is made once may take long on a busy machine.
t.setTimeout(0);
const { NODE_OPTIONS: _hooks, ...outer } = process.env;
const env = { ...outer, ...(await madeOnce()) };

t.jobs = Number(process.env.TAP_JOBS ?? 2);
for (const file of files) {
  t.spawn(process.execPath, [join(ROOT, file)], { buffered: true, env, timeout: FILE_MS_MAX }, file);
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
