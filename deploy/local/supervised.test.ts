import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { until } from '../../runtime/testing/until.js';
import { findProgram } from '../../storage/find-program.js';
import { Supervised } from './supervised.js';

/** A shell's script as a supervised program, with what it was told and what it is at. */
function supervise(t: Test, script: string, isUp: (lives: number) => boolean, stopMsMax = 5_000) {
  const directory = t.testdir();
  const told: string[] = [];
  const logFile = join(directory, 'log');
  const pidFile = join(directory, 'pid');
  const lives = () => readFileSync(logFile, 'utf8').match(/serves/g)?.length ?? 0;
  const program = new Supervised({
    name: 'program',
    command: ['/bin/sh', '-c', script],
    env: process.env,
    address: '',
    logFile,
    pidFile,
    stopSignal: 'SIGTERM',
    stopMsMax,
    restartMs: 50,
    isUp: async () => isUp(lives()),
    tell: (line) => told.push(line),
  });
  t.teardown(() => program.stop());
  return { program, told, written: () => readFileSync(logFile, 'utf8'), pidFile };
}

const serves = (lives: number) => lives > 0;

t.test('it is started, and stopped in its own way', async (t) => {
  const { program, told, written, pidFile } = supervise(
    t,
    `trap 'echo drained; exit 0' TERM; echo serves; while :; do sleep 0.01; done`,
    serves,
  );
  await program.start();
  t.equal(Number(readFileSync(pidFile, 'utf8')), program.pid);
  await Promise.all([program.stop(), program.stop()]);
  t.match(written(), /drained/);
  t.equal(program.pid, undefined);
  t.throws(() => readFileSync(pidFile), { code: 'ENOENT' });
  t.strictSame(told, [], 'what goes as it should is not told');
});

t.test('what ends unasked is told and started again, until it is stopped', async (t) => {
  let ends = 0;
  const { program, told, written, pidFile } = supervise(
    t,
    'echo serves; exec sleep 60',
    (lives) => lives > ends,
  );
  await program.start();
  for (let kill = 1; kill <= 2; kill++) {
    const { pid } = program;
    ends = kill;
    process.kill(pid ?? 0, 'SIGKILL');
    await until('it is up again', () => told.length === 2 * kill);
    t.match(told.slice(-2), [
      `program (pid ${pid}) was ended by SIGKILL; it is started again in 0.05 s`,
      `program is up again, pid ${program.pid}`,
    ]);
    t.not(program.pid, pid);
    t.equal(Number(readFileSync(pidFile, 'utf8')), program.pid);
  }
  t.equal(written().match(/serves/g)?.length, 3, 'its log goes on');
  process.kill(program.pid ?? 0, 'SIGKILL');
  await until('it waits', () => told.length === 5);
  await program.stop();
  t.equal(told.length, 5, 'not started again');
});

t.test('what does not end in time is killed', async (t) => {
  const { program, told } = supervise(
    t,
    `trap '' TERM; echo serves; while :; do sleep 0.01; done`,
    serves,
    100,
  );
  await program.start();
  await program.stop();
  t.match(told, [/^program did not end within 0.1 s and is killed/]);
});

t.test('a first start that fails says what it wrote', async (t) => {
  const { program, told } = supervise(t, 'echo one; echo no such thing >&2; exit 3', () => false);
  await t.rejects(program.start(), {
    code: 'TETHER_LOCAL_CLUSTER',
    message: /program ended with exit code 3\. Its last lines in .*:\n {2}one\n {2}no such thing$/,
  });
  t.strictSame(told, []);
});

t.test('a stop while it starts', async (t) => {
  const { program } = supervise(t, 'echo begins; exec sleep 60', () => false);
  const started = program.start();
  await until('it is there', () => program.pid !== undefined);
  const { pid } = program;
  await program.stop();
  await t.rejects(started, { code: 'TETHER_LOCAL_CLUSTER' });
  t.notOk(isAlive(pid));
});

t.test(
  'it does not outlive us',
  { skip: findProgram('setpriv') === undefined && 'needs setpriv' },
  async (t) => {
    const owner = fork(fileURLToPath(new URL('./test/owner.js', import.meta.url)), [t.testdir()]);
    t.teardown(() => void owner.kill('SIGKILL'));
    const [pid] = (await once(owner, 'message')) as [number];
    // Until then it is setpriv, which may not have asked for its end yet.
    await until('it runs', () => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n');
    owner.kill('SIGKILL');
    await until('it is gone', () => !isAlive(pid));
  },
);

function isAlive(pid: number | undefined): boolean {
  return spawnSync('kill', ['-0', `${pid}`]).status === 0;
}
