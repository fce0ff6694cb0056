/** Partitions that move, from the dispatcher's side: what it sends where, and when. */
import t from 'tap';
import { type DispatchOptions, dispatch, letterOf, turn } from '../testing/dispatch.js';
import { until } from '../testing/until.js';

const ids = (sent: readonly { readonly id: string }[] | undefined) => sent?.map(({ id }) => id) ?? [];

/** One partition, `first` to `last` appended, in flight at thread 0 of two. */
async function inFlightAt0(count: number, options: DispatchOptions = {}) {
  const it = dispatch(1, 2, options);
  it.dispatcher.attach(0);
  it.dispatcher.attach(1);
  for (let n = 0; n < count; n++) await it.append(0, `m${n}`);
  await turn();
  return it;
}

t.test('a partition moves when nothing of it is in flight, and the rest goes to its new owner', async (t) => {
  const released: (number | undefined)[][] = [];
  const moved: number[][] = [];
  const { append, answer, dispatcher, inbox } = await inFlightAt0(2, {
    release: async (partition, from, to) => {
      released.push([partition, from, to]);
      await turn();
      t.strictSame(ids(inbox[1]), [], 'nothing is sent while the old thread lets go');
    },
    onMoved: (...move) => moved.push(move),
  });
  const move = dispatcher.move(0, 1);
  await append(0, 'later');
  answer(0, inbox[0]?.splice(0, 1) ?? []);
  await turn();
  t.strictSame(released, []);
  t.strictSame(ids(inbox[0]), ['m1'], 'nothing is sent to the old thread');
  answer(0, inbox[0]?.splice(0) ?? []);
  await move;
  t.strictSame([released, moved, dispatcher.owners], [[[0, 0, 1]], [[0, 0, 1]], [1]]);
  t.strictSame(ids(inbox[1]), ['later']);
  await dispatcher.move(0, 1);
  t.equal(released.length, 1, 'it is there already');
});

t.test('a message that is given up is in flight until its dead letter is stored', async (t) => {
  let store = () => {};
  const storing = () => new Promise<void>((resolve) => (store = resolve));
  const { dispatcher, inbox } = await inFlightAt0(1, { storing });
  const [dead] = inbox[0]?.splice(0) ?? [];
  if (dead === undefined) throw new Error('nothing was sent');
  const move = dispatcher.move(0, 1);
  dispatcher.gaveUp(0, letterOf(dead));
  await turn();
  t.strictSame(dispatcher.owners, [0]);
  store();
  await move;
  t.strictSame(dispatcher.owners, [1]);
});

t.test('a thread that does not let go in time keeps its partition, and goes on with it', async (t) => {
  const { append, answer, clock, dispatcher, inbox } = await inFlightAt0(1);
  const move = dispatcher.move(0, 1, 500);
  await t.rejects(dispatcher.move(0, 1), { code: 'TETHER_MOVE_CANCELLED', message: /moves already/ });
  await append(0, 'later');
  clock.advance(500);
  await t.rejects(move, { code: 'TETHER_MOVE_TIMEOUT', message: /1 messages are in flight/ });
  t.strictSame(ids(inbox[0]), ['m0', 'later']);
  t.strictSame(dispatcher.owners, [0]);
  answer(0, inbox[0]?.splice(0) ?? []);
  await dispatcher.move(0, 1, 500);
  t.equal(clock.pending, 0);
});

t.test('a slow thread that goes on has more time, but not for ever', async (t) => {
  const { answer, clock, dispatcher, inbox } = await inFlightAt0(20);
  const slow = dispatcher.move(0, 1, 500);
  for (let n = 0; n < 9; n++) {
    answer(0, inbox[0]?.splice(0, 1) ?? []);
    clock.advance(500);
  }
  t.strictSame(clock.pending, 1, 'it still waits');
  answer(0, inbox[0]?.splice(0, 1) ?? []);
  clock.advance(500);
  await t.rejects(slow, { code: 'TETHER_MOVE_TIMEOUT', message: /10 messages are in flight/ });
});

t.test('a release that hangs or fails ends the move, and is told of the first', async (t) => {
  let release: (signal: AbortSignal) => Promise<void> = () => new Promise(() => {});
  let told: AbortSignal | undefined;
  const { append, answer, clock, dispatcher, inbox } = await inFlightAt0(0, {
    release: (_partition, _from, _to, signal) => {
      told = signal;
      return release(signal);
    },
  });
  const hanging = dispatcher.move(0, 1, 500);
  await append(0, 'm0');
  clock.advance(500);
  await t.rejects(hanging, { code: 'TETHER_MOVE_TIMEOUT', message: /its release hangs/ });
  t.equal(told?.aborted, true);
  t.strictSame(ids(inbox[0]), ['m0']);
  dispatcher.detach(0);
  dispatcher.attach(0);
  inbox[0]?.splice(0, 1);
  answer(0, inbox[0]?.splice(0) ?? []);
  release = () => Promise.reject(new Error('not now'));
  await t.rejects(dispatcher.move(0, 1), { code: 'TETHER_MOVE_CANCELLED', message: /not now/ });
  t.strictSame(dispatcher.owners, [0]);
});

t.test('a thread that is lost has let go, while it finishes and while it releases', async (t) => {
  let signal: AbortSignal | undefined;
  const { append, dispatcher, inbox } = await inFlightAt0(1, {
    release: (_partition, _from, _to, aborted) => {
      signal = aborted;
      return new Promise(() => {});
    },
  });
  const first = dispatcher.move(0, 1);
  inbox[0]?.splice(0);
  dispatcher.detach(0);
  await first;
  t.equal(signal, undefined, 'there is nobody to ask');
  t.strictSame(ids(inbox[1]), ['m0'], 'it is sent again, to the new owner');
  dispatcher.attach(0);
  const second = dispatcher.move(0, 0);
  inbox[1]?.splice(0);
  dispatcher.detach(1);
  await second;
  t.strictSame(ids(inbox[0]), ['m0']);
  await append(0, 'later');
  const third = dispatcher.move(0, 1);
  t.strictSame(ids(inbox[0]), ['m0'], 'a suspect goes alone');
  inbox[0]?.splice(0);
  dispatcher.detach(0);
  await third;
  t.strictSame(dispatcher.owners, [1]);
});

t.test('while the old thread lets go, its loss ends the wait', async (t) => {
  let signal: AbortSignal | undefined;
  const { dispatcher } = await inFlightAt0(0, {
    release: (_partition, _from, _to, aborted) => {
      signal = aborted;
      return new Promise(() => {});
    },
  });
  const move = dispatcher.move(0, 1);
  await turn();
  dispatcher.detach(0);
  await move;
  t.equal(signal?.aborted, true);
  t.strictSame(dispatcher.owners, [1]);
});

t.test('a message that ends its threads is found though its partition moves after each loss', async (t) => {
  const { append, answer, dispatcher, inbox, stored, log } = dispatch(2, 2);
  for (let n = 0; n < 500; n++) append(0, n === 300 ? 'poison' : `a${n}`);
  for (let n = 0; n < 500; n++) append(1, `b${n}`);
  dispatcher.attach(0);
  dispatcher.attach(1);
  let losses = 0;
  await until('all is handled', async () => {
    await turn();
    for (const thread of [0, 1]) {
      const sent = inbox[thread]?.splice(0) ?? [];
      const at = sent.findIndex(({ id }) => id === 'poison');
      if (at < 0) {
        if (sent.length > 0) answer(thread, sent);
        continue;
      }
      if (at > 0) answer(thread, sent.slice(0, at));
      losses++;
      const move = dispatcher.move(0, 1 - thread);
      dispatcher.detach(thread);
      dispatcher.attach(thread);
      await move;
    }
    return log.lag() === 0;
  });
  t.match(stored, [{ envelope: { id: 'poison' }, cause: { code: 'TETHER_THREAD_CRASH' }, attempts: 3 }]);
  t.ok(losses <= 7, `${losses} losses`);
});

t.test('a read of the disk under way when a partition moves is of no use any more', async (t) => {
  const { append, dispatcher, inbox, opened } = dispatch(1, 2);
  const partition = opened[0];
  if (partition === undefined) throw new Error('no partition');
  partition.promiseEvery = 1;
  dispatcher.attach(0);
  dispatcher.attach(1);
  await append(0, 'm0');
  t.strictSame(ids(inbox[0]), []);
  await dispatcher.move(0, 1);
  await until('it is sent', () => ids(inbox[1]).length > 0);
  t.strictSame([ids(inbox[0]), ids(inbox[1])], [[], ['m0']]);
});

t.test('paused, nothing is sent, what is in flight finishes, and partitions move', async (t) => {
  const { append, answer, dispatcher, inbox } = await inFlightAt0(1);
  dispatcher.pause();
  await append(0, 'later');
  answer(0, inbox[0]?.splice(0) ?? []);
  await turn();
  t.equal(dispatcher.inFlight, 0);
  await dispatcher.move(0, 1);
  dispatcher.resume();
  t.strictSame([ids(inbox[0]), ids(inbox[1])], [[], ['later']]);
});

t.test('a dispatcher that stops cancels its moves', async (t) => {
  const { clock, dispatcher } = await inFlightAt0(1);
  const move = dispatcher.move(0, 1);
  dispatcher.stop();
  await t.rejects(move, { code: 'TETHER_MOVE_CANCELLED' });
  await t.rejects(dispatcher.move(0, 1), { code: 'TETHER_MOVE_CANCELLED' });
  t.equal(clock.pending, 0);
});

t.test('threads come and go; one that owns something, or is about to, does not go', async (t) => {
  const { answer, append, dispatcher, inbox } = await inFlightAt0(1);
  dispatcher.addThread(2);
  t.throws(() => dispatcher.addThread(2), RangeError);
  t.throws(() => dispatcher.removeThread(0), /owns 1 partitions/);
  const move = dispatcher.move(0, 2);
  t.throws(() => dispatcher.removeThread(2), /on its way/);
  answer(0, inbox[0]?.splice(0) ?? []);
  await move;
  dispatcher.removeThread(0);
  t.throws(() => dispatcher.attach(0), /no thread 0/);
  await append(0, 'later');
  t.strictSame(ids(inbox[2]), []);
  dispatcher.attach(2);
  t.strictSame(ids(inbox[2]), ['later']);
});

t.test('what waits for credit has a delay; what is sent at once has none', async (t) => {
  const { append, answer, clock, dispatcher, inbox } = dispatch(3, 1);
  dispatcher.attach(0);
  for (let n = 0; n < 2_048; n++) append(0, `m${n}`);
  await turn();
  t.strictSame(dispatcher.load(), { delayMs: 0, busyPartitions: 1 });
  await append(1, 'waits');
  await turn();
  clock.advance(70);
  t.strictSame(dispatcher.load(), { delayMs: 70, busyPartitions: 2 });
  clock.advance(10);
  answer(0, inbox[0]?.splice(0, 100) ?? []);
  clock.advance(1_000);
  t.equal(dispatcher.load().delayMs, 80);
  t.equal(dispatcher.load().delayMs, 0);
});
