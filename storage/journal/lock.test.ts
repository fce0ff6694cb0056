import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { appendText, part } from '../log-contract.js';
import { LOCK_NAME, lockDirectory, SILENCE_MS_MAX } from './lock.js';
import { openJournal } from './open.js';
import { selfIdentity } from './process-identity.js';
import { openSmall, smallOptions, temporaryDirectory } from './testing.js';

const LOCKED = { code: 'TETHER_JOURNAL_LOCKED' };

/** Another process that takes the lock, says `held` or the error's code, and keeps it until it is killed. */
async function racer(t: Test, directory: string): Promise<{ child: ChildProcess; answer: Promise<string> }> {
  const script = `
    const { lockDirectory } = await import(${JSON.stringify(new URL('./lock.js', import.meta.url).href)});
    process.stdin.once('data', async () => {
      try { globalThis.lock = await lockDirectory(${JSON.stringify(directory)}, { waitMsMax: 0 }); console.log('held'); }
      catch (error) { console.log(error.code ?? String(error)); }
    });
    console.log('ready');`;
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await until('the other process is ready', () => output.includes('ready\n'));
  const answer = until('the other process answers', () => output.split('\n').length > 2).then(
    () => output.split('\n')[1] ?? '',
  );
  return { child, answer };
}

t.test('a directory that another process has open is refused, with its pid', async (t) => {
  const directory = temporaryDirectory(t);
  const { child, answer } = await racer(t, directory);
  child.stdin?.write('go\n');
  t.equal(await answer, 'held');
  await t.rejects(openJournal(smallOptions(directory)), { ...LOCKED, pid: child.pid });
  // Killed a moment ago, not even reaped.
  child.kill('SIGKILL');
  const journal = await openSmall(t, directory, { lockWaitMsMax: 5_000 });
  t.equal(await appendText(part(journal, 'a', 0), 'x'), 0);
  await t.rejects(
    openJournal(smallOptions(directory)),
    { ...LOCKED, pid: process.pid },
    'twice in one process',
  );
  await journal.close();
  t.strictSame(
    fs.readdirSync(directory).filter((name) => name.startsWith(LOCK_NAME)),
    [],
  );
});

t.test('of the racers for a stale lock one gets it', async (t) => {
  for (let round = 0; round < 2; round++) {
    const directory = temporaryDirectory(t);
    const owner = await racer(t, directory);
    owner.child.stdin?.write('go\n');
    await owner.answer;
    const racers = await Promise.all([1, 2, 3, 4].map(() => racer(t, directory)));
    owner.child.kill('SIGKILL');
    await once(owner.child, 'exit');
    for (const { child } of racers) child.stdin?.write('go\n');
    const answers = await Promise.all(racers.map(({ answer }) => answer));
    t.strictSame(answers.sort(), [LOCKED.code, LOCKED.code, LOCKED.code, 'held']);
    for (const { child } of racers) child.kill('SIGKILL');
  }
});

t.test('many racers within one process, many times', async (t) => {
  const directory = temporaryDirectory(t);
  const dead = { ...(await selfIdentity('dead')), startTime: '1' };
  for (let round = 0; round < 30; round++) {
    fs.writeFileSync(join(directory, LOCK_NAME), JSON.stringify({ ...dead, token: `dead-${round}` }));
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, () => lockDirectory(directory, { waitMsMax: 0 })),
    );
    const held = results.filter((result) => result.status === 'fulfilled');
    t.equal(held.length, 1);
    for (const { value } of held) await value.release();
  }
  t.strictSame(fs.readdirSync(directory), []);
});

t.test('whose lock is stale', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, LOCK_NAME);
  const self = await selfIdentity('token-1');
  const old = new Date(Date.now() - 31_000);
  const cases: [string, object | string, boolean, boolean][] = [
    ['this very process', self, false, false],
    ['this pid, used again', { ...self, startTime: '12345' }, false, true],
    ['another boot, beating a moment ago', { ...self, bootId: 'other' }, false, false],
    ['another boot, silent', { ...self, bootId: 'other' }, true, true],
    ['another host, beating', { ...self, hostname: `not-${os.hostname()}` }, false, false],
    ['another host, silent', { ...self, hostname: `not-${os.hostname()}` }, true, true],
    ['another container, beating', { ...self, namespace: 'pid:[1]' }, false, false],
    ['another container, silent', { ...self, namespace: 'pid:[1]' }, true, true],
    ['no such process, no start time', { ...self, pid: 2 ** 22 + 1, startTime: '' }, false, true],
    ['a live process, no start time', { ...self, startTime: '' }, false, false],
    ['an empty file, as a crash of the machine leaves', '', false, true],
    ['junk', '{"pid":"x","token":"../../etc"}', false, true],
  ];
  for (const [what, content, silent, stale] of cases) {
    fs.writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    if (silent) fs.utimesSync(path, old, old);
    const attempt = lockDirectory(directory, { waitMsMax: 0 });
    if (stale)
      await t.resolves(
        attempt.then((lock) => lock.release()),
        what,
      );
    else await t.rejects(attempt, LOCKED, what);
    fs.rmSync(path, { force: true });
  }
  t.strictSame(fs.readdirSync(directory), []);
});

t.test(
  'an owner from before a restart is waited for until it is silent, and not when it beats',
  async (t) => {
    const directory = temporaryDirectory(t);
    const path = join(directory, LOCK_NAME);
    fs.writeFileSync(path, JSON.stringify({ ...(await selfIdentity('token-1')), bootId: 'other' }));
    const beat = () => fs.utimesSync(path, new Date(), new Date());
    const timer = setInterval(beat, 20);
    t.teardown(() => clearInterval(timer));
    const startMs = performance.now();
    await t.rejects(lockDirectory(directory, { waitMsMax: 60_000 }), LOCKED);
    t.ok(performance.now() - startMs < 30_000, 'long before it would count as silent');
    clearInterval(timer);
    // Silent for long enough in three seconds.
    const then = new Date(Date.now() - SILENCE_MS_MAX + 3_000);
    fs.utimesSync(path, then, then);
    const lines: string[] = [];
    const logger = { ...silentLogger, warn: (_fields: object, text: string) => void lines.push(text) };
    const lock = await lockDirectory(directory, { waitMsMax: 60_000, logger });
    t.equal(lines.length, 1);
    t.match(lines[0], 'waiting for the lock');
    await lock.release();
  },
);

t.test('a claim whose owner died is taken over, and what the dead left is cleared away', async (t) => {
  const directory = temporaryDirectory(t);
  const dead = { ...(await selfIdentity('dead')), startTime: '1' };
  fs.writeFileSync(join(directory, LOCK_NAME), JSON.stringify({ ...dead, token: 'one' }));
  fs.writeFileSync(join(directory, `${LOCK_NAME}.one`), JSON.stringify({ ...dead, token: 'two' }));
  fs.writeFileSync(join(directory, `${LOCK_NAME}.zero`), JSON.stringify({ ...dead, token: 'three' }));
  const lock = await lockDirectory(directory, { waitMsMax: 0 });
  t.strictSame(fs.readdirSync(directory), [LOCK_NAME]);
  await lock.release();
  await lock.release();
  t.strictSame(fs.readdirSync(directory), []);
});

t.test('an owner finds out that its lock was taken, and leaves the new one alone', async (t) => {
  const directory = temporaryDirectory(t);
  const lock = await lockDirectory(directory, { waitMsMax: 0, heartbeatMs: 5 });
  let lost = '';
  lock.onLost = (reason) => {
    lost = reason;
  };
  const before = fs.statSync(join(directory, LOCK_NAME)).mtimeMs;
  await until('a heartbeat', () => fs.statSync(join(directory, LOCK_NAME)).mtimeMs > before);
  fs.writeFileSync(join(directory, 'other'), JSON.stringify({ ...(await selfIdentity('other')), pid: 77 }));
  fs.renameSync(join(directory, 'other'), join(directory, LOCK_NAME));
  await until('it is lost', () => lost !== '');
  let told = '';
  lock.onLost = (reason) => {
    told = reason;
  };
  t.equal(told, lost, 'whoever listens late is told at once');
  t.match(lost, /held by process 77/);
  await lock.release();
  t.strictSame(fs.readdirSync(directory), [LOCK_NAME]);
});
