/**
 * Runs every test file, each as a process of its own.
 *
 * tap would run them by itself, with hooks on each module that is loaded, for its coverage and mocks; in every process and thread that a test
 * starts, too. None of that is used here, and a short test took twice its time.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Of one file; a file that takes longer says so. */
const FILE_MS_MAX = 60_000;
/** The longest ones, so that none of them is left alone at the end. */
const FIRST = ['deploy/test/', 'deploy/local/', 'gateway/uploads/', 'actors/'];

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js') && !file.includes('fixtures/'))
  .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
const { NODE_OPTIONS: _hooks, ...env } = process.env;

t.jobs = Number(process.env.TAP_JOBS ?? 2);
t.setTimeout(0);
for (const file of files) {
  t.spawn(process.execPath, [join(ROOT, file)], { buffered: true, env, timeout: FILE_MS_MAX }, file);
}

function rank(file: string): number {
  const at = FIRST.findIndex((start) => file.startsWith(start));
  return at < 0 ? FIRST.length : at;
}
