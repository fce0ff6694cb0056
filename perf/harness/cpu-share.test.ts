import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { cpuShare, profileClockUs } from './cpu-share.js';

/** Work of its own, some tenths of a second. */
const SPIN =
  'export function spin() { let x = 1; for (let n = 0; n < 1e8; n++) x = (x * 31 + n) % 1_000_003; return x; }\n';

t.test(
  'a share is that of the files that are asked for, in every thread, since the time that is asked for',
  async (t) => {
    const began = profileClockUs();
    const dir = t.testdir({
      'one.mjs': SPIN,
      'two.mjs': SPIN,
      'worker.mjs': "import { spin } from './one.mjs';\nspin();\n",
      'main.mjs':
        "import { Worker } from 'node:worker_threads';\nimport { spin } from './two.mjs';\n" +
        "new Worker(new URL('./worker.mjs', import.meta.url)).once('exit', () => spin());\n",
    });
    const profiles = join(dir, 'profiles');
    const flags = ['--cpu-prof', `--cpu-prof-dir=${profiles}`, '--cpu-prof-interval=500'];
    const { NODE_OPTIONS: _, ...env } = process.env;
    execFileSync(process.execPath, [...flags, join(dir, 'main.mjs')], { env });
    const one = cpuShare(profiles, began, (url) => url.endsWith('/one.mjs'));
    const two = cpuShare(profiles, began, (url) => url.endsWith('/two.mjs'));
    t.ok(one > 0.2 && two > 0.2 && one + two <= 1, `as much of each: ${one}, ${two}`);
    t.equal(
      cpuShare(profiles, began, () => true),
      1,
    );
    t.throws(() => cpuShare(profiles, profileClockUs(), () => true), /no profile/);
  },
);
