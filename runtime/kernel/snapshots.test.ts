/** States in snapshots: when they are stored, what is skipped, and what an activation finds. */
import t from 'tap';
import { type ActorDefinition, defineActor } from '../actor.js';
import { OutageError } from '../errors.js';
import { silentLogger } from '../logger.js';
import type { Snapshot } from '../stores/snapshot.js';
import { DurableMessage } from './letter.js';
import { manualKernel, settle } from './test-kernel.js';

class Away extends OutageError {
  readonly code = 'TEST_AWAY';
}

interface State {
  sum: number;
  at?: string;
}

function fixture(snapshot: Partial<ActorDefinition<unknown, State>['snapshot']> = {}) {
  const made = manualKernel();
  const { kernel, clock } = made;
  const stored = new Map<string, Snapshot>();
  const done: number[] = [];
  const dead: string[] = [];
  const store = { away: false, saves: 0 };
  const check = async () => {
    if (store.away) throw new Away('away');
  };
  const handled: unknown[] = [];
  const definition = defineActor<number, State>({
    type: 'sum',
    scope: 'key',
    idleMsMax: 1_000,
    snapshot: { version: 2, ...snapshot },
    state: () => ({ sum: 0 }),
    receive(messages, { state }) {
      for (const message of messages) {
        handled.push(message.body);
        state.sum += message.body;
        message.reply(state.sum as never);
      }
    },
  });
  const host = kernel.host({
    definition: definition as ActorDefinition,
    resources: undefined,
    logger: silentLogger,
    outcome: {
      done: (entries) => done.push(...entries.map(({ offset }) => offset)),
      dead: (_entry, cause) => dead.push(cause.code),
      parked() {},
      outage() {},
      forgotten() {},
    },
    snapshots: {
      log: 'log-1',
      store: {
        load: async (_actor, key) => check().then(() => stored.get(key)),
        save: async (_actor, key, snapshot) => {
          await check();
          store.saves++;
          stored.set(key, { ...snapshot, state: Uint8Array.from(snapshot.state) });
        },
        delete: async () => {},
        close: async () => {},
      },
    },
  });
  /** A message of the log: its offset is in its id, as its time is. */
  const deliver = async (offset: number, body: number) => {
    const id = `id-${String(offset).padStart(4, '0')}`;
    const payload = kernel.codec.pack(body);
    const envelope = { id, key: 'a', dedupe: id, receivedAt: 0, traceparent: '', payload };
    const message = new DurableMessage(envelope, kernel.codec);
    host.activation('a').push({ partition: 0, offset, bytes: 1, message });
    await settle();
  };
  const ask = (body: number) => kernel.ref('sum', 'a').ask(body as never) as Promise<unknown>;
  const passivate = async () => {
    clock.advance(2_000);
    kernel.sweep();
    await settle();
  };
  return { ...made, host, stored, store, done, dead, handled, deliver, ask, passivate };
}

t.test('batch: stored before its messages are done, and what is in it already is skipped', async (t) => {
  const first = fixture();
  await first.deliver(0, 1);
  await first.deliver(1, 10);
  t.strictSame(first.done, [0, 1]);
  t.equal(first.store.saves, 2);
  const second = fixture();
  for (const [key, snapshot] of first.stored) second.stored.set(key, snapshot);
  await second.deliver(1, 10);
  await second.deliver(2, 100);
  t.strictSame(second.handled, [100], 'offset 1 is in the state');
  t.strictSame(second.done, [1, 2]);
  t.equal(await second.ask(0), 111);
});

t.test('batch: while the store is away nothing is done, and the state is as it was', async (t) => {
  const { deliver, store, done, dead, clock, ask } = fixture();
  await deliver(0, 1);
  store.away = true;
  await deliver(1, 10);
  t.strictSame(done, [0]);
  store.away = false;
  clock.advance(10_000);
  await settle();
  t.strictSame(done, [0, 1]);
  t.strictSame(dead, []);
  t.equal(await ask(0), 11, 'counted once');
});

t.test('passivation: stored when the activation goes, not before', async (t) => {
  const { deliver, store, done, passivate, ask } = fixture({ when: 'passivation' });
  await deliver(0, 1);
  t.strictSame(done, [0]);
  t.equal(store.saves, 0);
  await passivate();
  t.equal(store.saves, 1);
  t.equal(await ask(0), 1);
});

t.test('passivation: an activation whose state cannot be stored stays', async (t) => {
  const { ask, store, host, passivate } = fixture({ when: 'passivation' });
  t.equal(await ask(5), 5);
  store.away = true;
  await passivate();
  t.equal(host.live, 1);
  store.away = false;
  await passivate();
  t.equal(host.live, 0);
  t.equal(await ask(0), 5);
});

t.test('an older version is migrated, a later one or one without a migration is not loaded', async (t) => {
  const old = fixture({ version: 1 });
  await old.deliver(0, 7);
  const migrate = (state: unknown) => ({ at: 'two', sum: (state as State).sum + 1 });
  for (const [policy, dead, handled] of [
    [{ migrate }, [], [1]],
    [{}, ['TETHER_SNAPSHOT_VERSION'], []],
  ] as const) {
    const next = fixture(policy);
    for (const [key, snapshot] of old.stored) next.stored.set(key, snapshot);
    await next.deliver(1, 1);
    t.strictSame(next.dead, dead);
    t.strictSame(next.handled, handled);
  }
});
