/** Partitions that come and go: what is sent, what counts, and where the next owner begins. */
import t from 'tap';
import { dispatch, letterOf, turn } from '../testing/dispatch.js';

const ids = (sent: readonly { readonly id: string }[] | undefined) => sent?.map(({ id }) => id);

/** One thread; nothing is ours. What is discarded is gone when `letGo` is called. */
function shared(threads = 1) {
  const letGo: (() => void)[] = [];
  const owned: (readonly [number, number | undefined])[] = [];
  const it = dispatch(4, threads, {
    ownership: 'none',
    discard: () => new Promise((resolve) => letGo.push(resolve)),
    onOwned: (partition, thread) => owned.push([partition, thread]),
  });
  for (let thread = 0; thread < threads; thread++) it.dispatcher.attach(thread);
  return { ...it, letGo, owned };
}

t.test('what is absent is not sent, wakes nothing, and is read when it is adopted', async (t) => {
  const { append, dispatcher, inbox, owned, opened } = shared(2);
  await append(0, 'a');
  await turn();
  t.strictSame(inbox, [[], []]);
  t.equal(opened[0]?.onAppended, undefined);
  t.strictSame(dispatcher.load().busyPartitions, 0);
  for (const partition of [0, 2]) dispatcher.adopt(partition, 7);
  t.strictSame(ids(inbox[0]), ['a']);
  t.strictSame(dispatcher.owners, [0, undefined, 1, undefined], 'the thread that has the fewest');
  t.strictSame(owned, [
    [0, 0],
    [2, 1],
  ]);
  t.throws(() => dispatcher.adopt(0, 8), 'it is ours');
});

t.test('given up, it is committed to where the next owner begins', async (t) => {
  const { append, answer, dispatcher, inbox, opened, owned } = shared();
  dispatcher.adopt(0, 1);
  for (const id of ['a', 'b']) await append(0, id);
  await turn();
  let over = false;
  const given = dispatcher.giveUp(0).then(() => (over = true));
  await append(0, 'c');
  answer(0, inbox[0]?.splice(1, 1) ?? []);
  await turn();
  t.notOk(over, 'one is in flight');
  t.strictSame(ids(inbox[0]), ['a'], 'nothing more is sent');
  answer(0, inbox[0]?.splice(0) ?? []);
  await given;
  t.equal(opened[0]?.committed, 2);
  t.strictSame(owned.at(-1), [0, undefined]);
  await append(0, 'd');
  await turn();
  t.strictSame(ids(inbox[0]), []);
  await dispatcher.giveUp(0);
  dispatcher.adopt(0, 2);
  t.strictSame(ids(inbox[0]), ['c', 'd']);
});

t.test('what does not end in time is not given up, and sent no more', async (t) => {
  const { append, dispatcher, inbox, clock, opened, answer } = shared();
  dispatcher.adopt(0, 1);
  await append(0, 'a');
  await turn();
  const given = dispatcher.giveUp(0, 100);
  clock.advance(100);
  await t.rejects(given, { code: 'TETHER_MOVE_TIMEOUT' });
  await append(0, 'b');
  await turn();
  t.strictSame(ids(inbox[0]), ['a']);
  await t.rejects(dispatcher.move(0, 0), { code: 'TETHER_MOVE_CANCELLED' });
  dispatcher.drop(0);
  answer(0, inbox[0]?.splice(0) ?? []);
  t.equal(opened[0]?.committed, 0, 'what is dropped is not committed');
  t.equal(dispatcher.inFlight, 0);
});

t.test('a drop ends a giving up', async (t) => {
  const { append, dispatcher } = shared();
  dispatcher.adopt(0, 1);
  await append(0, 'a');
  await turn();
  const given = dispatcher.giveUp(0);
  dispatcher.drop(0);
  await t.rejects(given, { code: 'TETHER_MOVE_CANCELLED' });
});

t.test('dropped, nothing counts any more; adopted again, it waits for the thread to let go', async (t) => {
  const { append, answer, dispatcher, inbox, opened, letGo, stored } = shared();
  dispatcher.adopt(0, 1);
  for (const id of ['a', 'b', 'c']) await append(0, id);
  await turn();
  dispatcher.drop(0);
  const [a, b, c] = inbox[0]?.splice(0) ?? [];
  if (a === undefined || b === undefined || c === undefined) throw new Error('nothing was sent');
  answer(0, [a]);
  dispatcher.gaveUp(0, letterOf(b));
  dispatcher.adopt(0, 2);
  dispatcher.forgotten(0, { type: 'forgotten', messages: 1, bytes: c.bytes });
  await turn();
  t.strictSame([opened[0]?.committed, stored, inbox[0], dispatcher.inFlight], [0, [], [], 0]);
  letGo[0]?.();
  await turn();
  t.strictSame(ids(inbox[0]), ['a', 'b', 'c']);
  answer(0, inbox[0]?.splice(0) ?? []);
  t.equal(opened[0]?.committed, 3);
});

t.test(
  'a dead letter that waits for its store is recalled by a drop, and waited for when it is given up',
  async (t) => {
    const puts: (() => void)[] = [];
    const it = dispatch(2, 1, { storing: () => new Promise((resolve) => puts.push(resolve)) });
    it.dispatcher.attach(0);
    for (const partition of [0, 1]) await it.append(partition, `${partition}`);
    await it.append(1, 'later');
    await turn();
    const [first, second, third] = it.inbox[0] ?? [];
    if (first === undefined || second === undefined || third === undefined)
      throw new Error('nothing was sent');
    it.dispatcher.gaveUp(0, letterOf(first));
    for (const sent of [second, third]) it.dispatcher.gaveUp(0, letterOf(sent));
    const given = it.dispatcher.giveUp(0);
    it.dispatcher.detach(0);
    await turn();
    t.equal(it.opened[0]?.committed, 0);
    it.dispatcher.drop(1);
    puts[0]?.();
    await given;
    t.equal(it.opened[0]?.committed, 1);
    await turn();
    t.strictSame(
      it.stored.map(({ envelope }) => envelope.id),
      ['0'],
    );
    t.equal(it.opened[1]?.committed, 0);
  },
);

t.test('a thread that is lost lets go of everything, and one that leaves gets nothing', async (t) => {
  const { append, dispatcher, inbox } = shared(2);
  dispatcher.retire([0]);
  dispatcher.adopt(0, 1);
  t.strictSame(dispatcher.owners[0], 1);
  await append(0, 'a');
  await turn();
  dispatcher.drop(0);
  dispatcher.retire([]);
  dispatcher.adopt(0, 2);
  inbox[1]?.splice(0);
  dispatcher.suspend(1);
  dispatcher.detach(1);
  t.strictSame(ids(inbox[0]), ['a'], 'the other one has it');
});
