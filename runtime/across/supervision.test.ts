/** Failures of actors and of their threads: what is restarted, what rests, and that all of it comes back. */
import t from 'tap';
import { until } from '../testing/until.js';
import { failure, startWorkers } from '../testing/workers.js';

t.setTimeout(120_000);

const FAIL = { type: 'fail', code: 'TOLD' } as const;

t.test('restarted too often, an activation rests, and then works again', async (t) => {
  const { ask, relay, system, events } = await startWorkers(t, [
    { type: 'frail', threads: 2, supervision: { restartsMax: 2, withinMs: 1_500, delayMs: 5 } },
    { type: 'near' },
  ]);
  for (let n = 0; n < 3; n++) t.match(await failure(ask('frail', '1', FAIL)), { reason: 'TOLD' });
  await until('it is told', () => events.some(({ kind }) => kind === 'escalated'));
  t.match(
    events.filter(({ kind }) => ['failed', 'restarted', 'escalated'].includes(kind)),
    [
      { kind: 'failed', key: '1', cause: { code: 'TOLD' } },
      { kind: 'restarted', restarts: 1 },
      { kind: 'failed' },
      { kind: 'restarted', restarts: 2 },
      { kind: 'failed' },
      { kind: 'escalated', key: '1', restMs: 1_500 },
    ],
  );
  t.strictSame(system.stats().resting, ['frail']);
  const rests = { code: 'TETHER_ACTIVATION_STOPPED', message: /frail\/1 was stopped after: told to fail/ };
  t.match(await failure(ask('frail', '1', { type: 'get' })), rests);
  t.match(await relay(['near', '1'], ['frail', '1'], { type: 'get' }), rests);
  t.match(await ask('frail', '2', { type: 'get' }), { count: 0 }, 'others are not concerned');
  await until('the rest is over', () => system.stats().resting.length === 0);
  await until('it works', async () => (await failure(ask('frail', '1', { type: 'get' }))).code === undefined);
  t.equal(await ask('frail', '1', { type: 'add', from: 'main', n: 1 }), 1);
  t.equal(system.stats().actors[0]?.threadsLost, 0);
});

t.test(
  'threads that crash, run out of memory or stand still are replaced, until it is too often',
  async (t) => {
    const { ask, log, ref, events, letters, system } = await startWorkers(
      t,
      [{ type: 'worker', threads: 2 }],
      { receiveMsMax: 1_000, heapMibMax: 32, pools: { losses: { lossesMax: 3, withinMs: 600_000 } } },
    );
    const stats = () => system.stats().actors[0];
    for (const [losses, how] of (['exit', 'heap', 'block'] as const).entries()) {
      t.equal(stats()?.unstable, false);
      // A tell: a thread that is lost takes it along, and it is not tried again.
      ref('worker', '1').tell({ type: 'end', how });
      await until(`it is lost by ${how}`, () => stats()?.threadsLost === losses + 1);
      await until('it works again', () => stats()?.threads.every((mode) => mode === 'ready') ?? false);
      t.match(await ask('worker', '1', { type: 'get' }), { count: 0 });
      await ref('worker', '1').tellDurably({ type: 'say', text: how });
      await until('messages of the log are handled', () => log.lag() === 0);
    }
    t.equal(stats()?.unstable, true);
    t.match(
      events.flatMap((event) => (event.kind === 'thread-lost' ? [event.cause.code] : [])),
      ['Error', 'ERR_WORKER_OUT_OF_MEMORY', 'TETHER_RECEIVE_TIMEOUT'],
    );
    t.equal(events.filter(({ kind }) => kind === 'thread-started').length, 5);
    t.strictSame(letters, []);
    t.match(system.stats(), { deadLettersWritten: 0 });
  },
);
