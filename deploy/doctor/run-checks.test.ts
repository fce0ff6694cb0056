/** Checks that hang, throw, leave probes or give secrets away do so on their own account. */
import t from 'tap';
import { examineConfig } from '../config.js';
import { type Check, type CheckContext, ok } from './check.js';
import { type Result, runChecks } from './run-checks.js';

const subject = { ...(await examineConfig({}, 'up')), mode: 'up' as const, env: {}, envFile: '/nonexistent' };

function run(
  checks: readonly Check[],
  options: { readonly deadlineMs?: number; readonly signal?: AbortSignal } = {},
): Promise<readonly Result[]> {
  return runChecks([{ id: 'group', title: 'Group', checks }], {
    subject,
    signal: new AbortController().signal,
    censor: (text) => text.replaceAll('hunter2hunter2', '[redacted]'),
    ...options,
  });
}

const check = (id: string, work: Check['run']): Check => ({ id, title: id, run: work });
const never = () => new Promise<never>(() => {});

t.test('results come in the order of the checks, a few at a time', async (t) => {
  let under = 0;
  let most = 0;
  const checks = Array.from({ length: 20 }, (_, at) =>
    check(`${at}`, async () => {
      most = Math.max(most, ++under);
      for (let turns = 20 - at; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      under--;
      return ok(`${at}`);
    }),
  );
  const results = await run(checks);
  t.strictSame(
    results.map(({ id, group, outcome, found }) => [id, group, outcome, found]),
    checks.map(({ id }) => [id, 'group', 'ok', id]),
  );
  t.equal(most, 4);
});

t.test('one that hangs or throws is failed, and the others are not', async (t) => {
  const results = await run(
    [
      check('hangs', never),
      check('throws', () => {
        throw new Error('no hunter2hunter2 today');
      }),
      check('rejects late', async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        throw new Error('nobody listens any more');
      }),
      check('well', () => ok('hunter2hunter2')),
    ],
    { deadlineMs: 50 },
  );
  t.match(results, [
    { outcome: 'failed', found: /not done after 50 ms/ },
    { outcome: 'failed', found: 'the check could not be made: no [redacted] today' },
    { outcome: 'failed', found: /not done/ },
    { outcome: 'ok', found: '[redacted]' },
  ]);
});

t.test('what was handed to undo is done: the last first, whatever became of the check', async (t) => {
  const done: string[] = [];
  const leaving = (name: string, end: (context: CheckContext) => ReturnType<Check['run']>) =>
    check(name, (context) => {
      for (const step of ['first', 'second']) {
        context.undo(async () => void done.push(`${name} ${step}`));
      }
      return end(context);
    });
  await run([leaving('good', () => ok(''))]);
  await run([leaving('hangs', never)], { deadlineMs: 20 });
  await run([
    leaving('throws', () => {
      throw new Error('x');
    }),
  ]);
  const interrupt = new AbortController();
  const results = run(
    [
      leaving('interrupted', () => {
        setImmediate(() => interrupt.abort());
        return never();
      }),
      ...Array.from({ length: 8 }, (_, at) => check(`${at}`, never)),
    ],
    { signal: interrupt.signal },
  );
  t.match(
    await results,
    Array.from({ length: 9 }, () => ({ outcome: 'skipped', found: /interrupted/ })),
  );
  t.strictSame(
    done,
    ['good', 'hangs', 'throws', 'interrupted'].flatMap((name) => [`${name} second`, `${name} first`]),
  );

  const [left] = await run([
    check('leaves', ({ undo }) => {
      undo(() => Promise.reject(new Error('the disk is gone')));
      return ok('all is well');
    }),
  ]);
  t.match(left, {
    outcome: 'failed',
    found: /all is well; and its probe could not be removed: the disk is gone/,
  });
});
