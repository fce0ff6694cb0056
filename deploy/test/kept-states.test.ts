/** What actors of real threads keep on a real journal and a real folder from one system to the next: states, reminders, dead letters. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { encodeEnvelope } from '../../runtime/envelope.js';
import { partitionOf } from '../../runtime/partition.js';
import { until } from '../../runtime/testing/until.js';
import { type Crew, failure, startWorkers } from '../../runtime/testing/workers.js';
import { openStores } from './stores.js';

t.setTimeout(120_000);

type Stores = Awaited<ReturnType<typeof openStores>>;

/** A system after the other, in the order of the calls. */
async function lives(t: Test) {
  const directory = t.testdir();
  const stores: Stores = await openStores(directory);
  t.teardown(() => stores.close());
  const live = async (
    crew: Crew,
    action: (it: Awaited<ReturnType<typeof startWorkers>>) => Promise<void>,
  ) => {
    const it = await startWorkers(t, crew, stores.options);
    await action(it);
    await it.system.drain(5_000);
  };
  return { ...stores, directory, live };
}

const add = (n: number) => ({ type: 'add', from: 'main', n }) as const;

t.test('states survive passivation, a drain, and a new version; a later version is an error', async (t) => {
  const { live, log, folder } = await lives(t);
  const kept = (version: number, migrates = false) =>
    [
      {
        type: 'kept',
        threads: 2,
        activationsMax: 1,
        snapshot: { version, when: 'passivation' as const },
        migrates,
      },
    ] as const;
  const keys = ['1', '2', '3', '4', '5', '6'];
  let counted = (_kind: string) => 0;
  await live(kept(1), async ({ ask, tally, events, shared, system }) => {
    for (const n of [1, 2, 3]) {
      // One activation to a thread: each key has to go before the next one comes.
      for (const key of keys) t.equal(await ask('kept', key, add(n)), n);
    }
    for (const key of keys) t.match(await tally('kept', key), { count: 3, disorder: 0 });
    counted = (kind) =>
      events.reduce((sum, event) => sum + (event.kind === kind && 'count' in event ? event.count : 0), 0);
    const activations = () => shared()[0]?.activations ?? 0;
    await until('all activations are told', () => counted('activated') === activations());
    t.ok(counted('passivated') > 0, 'there is no room for all');
    // Threads tell how many live once a second, and events at their own pace.
    await until(
      'those that live are counted',
      () => system.stats().actors[0]?.live === counted('activated') - counted('passivated'),
    );
  });
  t.equal(counted('activated'), counted('passivated'), 'in the end none is left');
  await live(kept(1), async ({ ask, tally, ref }) => {
    for (const key of keys) {
      t.match(await tally('kept', key), { count: 3, disorder: 0 });
      t.equal(await ask('kept', key, add(4)), 4);
    }
    await ref('kept', '1').tellDurably(add(5));
    await until('it is handled', () => log.lag() === 0);
  });
  await live(kept(2, true), async ({ ask, tally }) => {
    t.match(await tally('kept', '1'), { count: 1_005, disorder: 0 }, 'it was migrated');
    t.equal(await ask('kept', '2', add(5)), 1_005);
  });
  await live(kept(1), async ({ ask, ref, letters }) => {
    const later = { code: 'TETHER_ASK_FAILED', reason: 'TETHER_SNAPSHOT_VERSION', message: /version 2/ };
    t.match(await failure(ask('kept', '2', add(6))), later);
    await ref('kept', '2').tellDurably(add(6));
    await until('the message is given up', () => log.lag() === 0);
    t.strictSame(letters, []);
    t.match(await folder.deadLetters.list({ limit: 5 }), [
      { cause: { code: 'TETHER_SNAPSHOT_VERSION' }, envelope: { key: '2' } },
    ]);
  });
  await live(kept(2, true), async ({ tally }) => {
    t.match(await tally('kept', '2'), { count: 1_005, disorder: 0 }, 'what an error left is what was there');
  });
});

t.test('a store that is away is waited for', async (t) => {
  const { live, log, directory } = await lives(t);
  const snapshots = join(directory, 'folder', 'snapshots');
  await live([{ type: 'kept', snapshot: { version: 1 } }], async ({ ref, tally, system, events }) => {
    await ref('kept', '1').tellDurably(add(1));
    await until('it is handled', () => log.lag() === 0);
    renameSync(snapshots, `${snapshots}-away`);
    await Promise.all([2, 3].map((n) => ref('kept', '1').tellDurably(add(n))));
    await until('the outage is told', () => system.stats().actors[0]?.outage === 'TETHER_FOLDER_UNAVAILABLE');
    t.ok(log.lag() > 0);
    renameSync(`${snapshots}-away`, snapshots);
    await until('all is handled', () => log.lag() === 0);
    t.match(await tally('kept', '1'), { count: 3, disorder: 0 });
    await until('it is over', () => system.stats().actors[0]?.outage === undefined);
    t.match(
      events.filter(({ kind }) => kind === 'outage').map((event) => 'code' in event && event.code),
      ['TETHER_FOLDER_UNAVAILABLE', undefined],
    );
    t.notOk(events.some(({ kind }) => kind === 'dead-letter'));
  });
});

t.test('reminders outlive a system, activate their actor, repeat, and are cancelled', async (t) => {
  const { live, log } = await lives(t);
  const clock = [{ type: 'clock', threads: 2, snapshot: { version: 1 } }] as const;
  const set = (name: string, afterMs: number, everyMs?: number) =>
    ({ type: 'remind', name, afterMs, ...(everyMs !== undefined && { everyMs }) }) as const;
  // On a slow machine some are due before the first ends.
  let doneBefore = () => 0;
  await live(clock, async ({ ask, system }) => {
    doneBefore = () => system.stats().actors[0]?.done ?? 0;
    await ask('clock', '1', set('soon', 300));
    await ask('clock', '2', set('cancelled', 60_000));
    await ask('clock', '3', set('again', 1, 1_000));
    await ask('clock', '4', set('replaced', 3_600_000));
    await ask('clock', '4', set('replaced', 300));
    t.equal(await ask('clock', '2', { type: 'unremind', name: 'cancelled' }), true);
    t.equal(await ask('clock', '2', { type: 'unremind', name: 'cancelled' }), false);
    t.match(await failure(ask('clock', '5', set('often', 1, 10))), { reason: 'TETHER_REMINDER_REFUSED' });
  });
  await live(clock, async ({ ask, tally, system }) => {
    const again = async () => (await tally('clock', '3')).notes.again ?? [];
    await until('it came twice', async () => (await again()).length >= 2);
    t.equal(await ask('clock', '3', { type: 'unremind', name: 'again' }), true);
    t.match((await tally('clock', '1')).notes, { soon: [String] });
    t.match((await tally('clock', '4')).notes, { replaced: [String] });
    t.strictSame((await tally('clock', '2')).notes, {});
    await until('nothing is left', () => log.lag() === 0);
    const done = doneBefore() + (system.stats().actors[0]?.done ?? 0);
    t.ok(done >= 4, `${done} by the log: one soon, one replaced, again twice`);
  });
});

t.test('durable messages are tried again, given up with their cause, and replayed in order', async (t) => {
  const { live, log, folder } = await lives(t);
  const crew = [{ type: 'kept', snapshot: { version: 1 } }, { type: 'sender' }] as const;
  await live(crew, async ({ ref, ask, tally, events }) => {
    await ask('sender', '1', { type: 'send', to: ['kept', '1'], first: 1, last: 20, durably: true });
    const id = await ref('kept', '1').tellDurably({ type: 'fail', code: 'TOLD' });
    await Promise.all([1, 2, 3].map((n) => ref('kept', '1').tellDurably(add(n))));
    await ref('kept', '2').tellDurably({ type: 'fail', code: 'FINAL', final: true });
    await until('all is handled', () => log.lag() === 0);
    t.match(await tally('kept', '1'), { count: 23, disorder: 0, last: { 'sender/1': 20, main: 3 } });
    const letters = await folder.deadLetters.list({ limit: 10 });
    t.match(
      [...letters].sort((a, b) => b.attempts - a.attempts),
      [
        { envelope: { id, key: '1', actor: 'kept' }, attempts: 3, cause: { code: 'TOLD', stack: /worker/ } },
        { envelope: { key: '2' }, attempts: 1, cause: { code: 'FINAL', message: 'told to fail' } },
      ],
    );
    t.match(
      events.filter(({ kind }) => kind === 'dead-letter'),
      [{ actor: 'kept' }, { actor: 'kept' }],
    );
  });
  // As an operator replays it: the envelope is appended again.
  const [poison] = await folder.deadLetters.list({ limit: 1, key: '2' });
  await live(crew, async ({ ref, tally, system, events }) => {
    system.pausePool('kept');
    await Promise.all(Array.from({ length: 40 }, (_, n) => ref('kept', '1').tellDurably(add(n + 4))));
    if (poison === undefined) throw new Error('there is no dead letter');
    const { envelope } = poison;
    const partition = log.open('kept')[partitionOf(envelope.key, log.partitions)];
    await new Promise((resolve, reject) =>
      partition?.append(encodeEnvelope(envelope), { appended: resolve, appendFailed: reject }),
    );
    t.ok(log.lag() >= 41);
    system.resumePool('kept');
    await until('all is handled', () => log.lag() === 0);
    t.match(await tally('kept', '1'), { count: 63, disorder: 0, last: { main: 43 } });
    t.match(
      events.filter(({ kind }) => kind === 'dead-letter'),
      [{ id: envelope.id }],
    );
  });
});
