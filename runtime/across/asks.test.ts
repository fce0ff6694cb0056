/** Asks across threads: every one ends, with the error that says why, as soon as that is known. */
import t from 'tap';
import { until } from '../testing/until.js';
import { failure, startWorkers } from '../testing/workers.js';

t.setTimeout(120_000);

/** An ask that is given up because of what happened ends long before its time. */
const LONG_MS = 30_000;
const SOON_MS = 10_000;

t.test('asks end with a reply or a typed error, and leave nothing behind', async (t) => {
  const crew = await startWorkers(t, [
    { type: 'near', threads: 2 },
    { type: 'far', threads: 2 },
    { type: 'small', mailboxMax: 2, overflow: 'reject' },
  ]);
  const { ask, relay, settled, system, said, ref } = crew;

  t.equal(await ask('far', '1', { type: 'add', from: 'main', n: 1 }), 1, 'a reply');
  const keys = Array.from({ length: 16 }, (_, n) => `${n}`);
  const threads = await Promise.all(keys.map((key) => ask('far', key, { type: 'say', text: '' })));
  t.equal(new Set(threads).size, 2, 'of both threads');
  const replies = await Promise.all(
    keys.map((key) => relay(['near', key], ['far', key], { type: 'say', text: '' })),
  );
  t.strictSame(
    replies.map(({ value }) => value),
    threads,
    'and from actors of other threads',
  );

  t.match(await relay(['near', '1'], ['far', '1'], { type: 'fail', code: 'TOLD' }), {
    code: 'TETHER_ASK_FAILED',
    reason: 'TOLD',
    message: /told to fail/,
  });
  t.match(await failure(ask('far', '1', { type: 'fail', code: 'TOLD' })), {
    code: 'TETHER_ASK_FAILED',
    reason: 'TOLD',
  });
  t.match(await failure(ask('nobody', '1', { type: 'get' })), { code: 'TETHER_ACTOR_UNKNOWN' });
  t.match(await relay(['near', '1'], ['nobody', '1'], { type: 'get' }), { code: 'TETHER_ACTOR_UNKNOWN' });
  t.match(await failure(ref('far', '1').tellDurably((() => 1) as never)), { code: 'TETHER_BODY' });
  t.match(await failure(ask('far', '1', { type: 'say', text: (() => 1) as never })), { code: 'TETHER_BODY' });
  t.throws(() => ref('nobody', '1').tell({ type: 'get' }), { code: 'TETHER_ACTOR_UNKNOWN' });

  const late = relay(['near', '1'], ['far', '1'], { type: 'forget' }, 1_500);
  await until('it is counted where it is asked and where it is owed', () =>
    system.stats().actors.every(({ actor, asksPending }) => actor === 'small' || asksPending > 0),
  );
  t.equal(system.stats().asksPending > 0, true);
  t.match(await late, { code: 'TETHER_ASK_TIMEOUT', message: /far\/1 did not reply in 1500 ms/ });
  t.match(await failure(ask('far', '1', { type: 'forget' }, 20)), { code: 'TETHER_ASK_TIMEOUT' });

  // One is handled, two wait, and the fourth is too many.
  const slow = ask('small', '1', { type: 'add', from: 'main', n: 1, ms: 300 });
  await until('the first is handled', () => said.some(({ text }) => text === 'begins'));
  const waiting = [2, 3].map((n) => ask('small', '1', { type: 'add', from: 'main', n }));
  const refused = await Promise.all(
    Array.from({ length: 4 }, () => failure(ask('small', '1', { type: 'get' }))),
  );
  t.ok(refused.some(({ code }) => code === 'TETHER_MAILBOX_FULL'));
  t.match(
    await Promise.all(
      Array.from({ length: 4 }, () => relay(['near', '2'], ['small', '1'], { type: 'get' })),
    ).then((ends) => ends.filter(({ code }) => code !== undefined && code !== 'TETHER_MAILBOX_FULL')),
    [],
  );
  t.strictSame(await Promise.all([slow, ...waiting]), [1, 2, 3]);
  await settled();
});

t.test('a thread that ends while it owes answers rejects them at once', async (t) => {
  const crew = await startWorkers(t, [{ type: 'near' }, { type: 'far' }], { heapMibMax: 32 });
  const { ask, relay, settled, system } = crew;
  // The way from one to the other is there.
  await relay(['near', '1'], ['far', '1'], { type: 'get' });
  for (const [losses, how] of (['exit', 'heap'] as const).entries()) {
    const owed = [
      failure(ask('far', '1', { type: 'forget' }, LONG_MS)),
      relay(['near', '1'], ['far', '1'], { type: 'forget' }, LONG_MS),
    ];
    await until('both are owed', () => system.stats().actors[1]?.asksPending === 2);
    const last = failure(ask('far', '2', { type: 'end', how }, LONG_MS));
    for (const end of await Promise.all([...owed, last])) {
      t.match(end, { code: 'TETHER_THREAD_LOST' }, how);
      t.ok(end.ms < SOON_MS, `${how}: ${Math.round(end.ms)} ms`);
    }
    await until('the loss is known', () => system.stats().actors[1]?.threadsLost === losses + 1);
    t.match(await relay(['near', '1'], ['far', '1'], { type: 'say', text: '' }), { value: Number });
  }
  await settled();
});

t.test('so does one that stands still or hangs, when its time is over', async (t) => {
  const { ask, settled, said, system } = await startWorkers(t, [{ type: 'far' }], { receiveMsMax: 1_000 });
  const owed = failure(ask('far', '1', { type: 'forget' }, LONG_MS));
  const blocked = failure(ask('far', '2', { type: 'end', how: 'block' }, LONG_MS));
  for (const end of await Promise.all([owed, blocked])) {
    t.match(end, { code: 'TETHER_THREAD_LOST' });
    t.ok(end.ms < SOON_MS, `${Math.round(end.ms)} ms`);
  }
  await until('the loss is known', () => system.stats().actors[0]?.threadsLost === 1);
  const hung = failure(ask('far', '1', { type: 'hang' }, LONG_MS));
  t.match(await hung, { code: 'TETHER_THREAD_LOST' });
  await until('its signal fired before', () => said.some(({ text }) => text === 'released'));
  await until('the loss is known', () => system.stats().actors[0]?.threadsLost === 2);
  t.match(await ask('far', '1', { type: 'say', text: 'again' }), Number);
  await settled();
});

t.test('an activation that is passivated or stopped while it owes answers rejects them', async (t) => {
  const crew = await startWorkers(t, [
    { type: 'near' },
    { type: 'few', activationsMax: 2 },
    { type: 'stops', supervision: { onFailure: 'stop' } },
    { type: 'restarts' },
  ]);
  const { ask, relay, settled, events, system } = crew;
  const owed = [
    failure(ask('few', '1', { type: 'forget' }, LONG_MS)),
    relay(['near', '1'], ['few', '1'], { type: 'forget' }, LONG_MS),
  ];
  await until('both are owed', () => system.stats().actors[1]?.asksPending === 2);
  const other = failure(ask('few', '2', { type: 'forget' }, LONG_MS));
  await until('all are owed', () => system.stats().actors[1]?.asksPending === 3);
  // All that may live owe something: then the oldest goes.
  await ask('few', '3', { type: 'get' });
  for (const end of await Promise.all(owed)) {
    t.match(end, { code: 'TETHER_ACTIVATION_STOPPED', message: 'few/1 was passivated' });
  }
  await failure(ask('few', '2', { type: 'fail', code: 'TOLD' }));
  t.match(await other, { code: 'TETHER_ACTIVATION_STOPPED', message: /restarted after: told to fail/ });

  for (const type of ['stops', 'restarts']) {
    const ends = [
      failure(ask(type, '1', { type: 'forget' }, LONG_MS)),
      relay(['near', '1'], [type, '1'], { type: 'forget' }, LONG_MS),
    ];
    await until('both are owed', () =>
      system.stats().actors.some(({ actor, asksPending }) => actor === type && asksPending === 2),
    );
    await failure(ask(type, '1', { type: 'fail', code: 'TOLD' }));
    for (const end of await Promise.all(ends)) t.match(end, { code: 'TETHER_ACTIVATION_STOPPED' });
  }
  await until('it is told', () =>
    ['stopped', 'restarted'].every((kind) =>
      events.some((event) => event.kind === kind && event.actor !== 'few'),
    ),
  );
  t.match(
    events.filter((event) => event.kind === 'stopped' || ('restarts' in event && event.actor === 'restarts')),
    [
      { kind: 'stopped', actor: 'stops', cause: { code: 'TOLD' } },
      { kind: 'restarted', actor: 'restarts', restarts: 1 },
    ],
  );
  await settled();
});

t.test('a cycle of asks over three pools is named', async (t) => {
  const { relay, settled } = await startWorkers(t, [{ type: 'near' }, { type: 'far' }, { type: 'third' }]);
  const end = await relay(['near', '1'], ['far', '2'], {
    type: 'ask',
    to: ['third', '3'],
    job: { type: 'ask', to: ['near', '1'], job: { type: 'get' } },
  });
  t.match(end, {
    value: {
      value: {
        code: 'TETHER_ASK_CYCLE',
        message: 'a cycle of asks: near/1 -> far/2 -> third/3 -> near/1',
      },
    },
  });
  await settled();
});
