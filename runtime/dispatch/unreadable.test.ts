/** A thread sends messages back that it cannot read: nothing more of their partition is sent, and it is nobody's suspect. */
import t from 'tap';
import { dispatch, turn } from '../testing/dispatch.js';

type It = ReturnType<typeof dispatch>;

/** As a thread does: everything that it has of the partition from `offset` on goes back. */
function refuse({ dispatcher, inbox }: It, thread: number, partition: number, offset: number): void {
  const queue = inbox[thread] ?? [];
  const back = queue.filter((sent) => sent.partition === partition && sent.offset >= offset);
  inbox[thread] = queue.filter((sent) => !back.includes(sent));
  dispatcher.forgotten(thread, {
    type: 'forgotten',
    messages: back.length,
    bytes: back.reduce((sum, { bytes }) => sum + bytes, 0),
    unreadable: { partition, offset, reason: 'later' },
  });
}

const ids = (sent: readonly { readonly id: string }[] | undefined) => sent?.map(({ id }) => id);

t.test('the next loss of a thread suspects what was in flight, and nothing that went back', async (t) => {
  const it = dispatch(2, 1);
  const { append, answer, dispatcher, inbox, opened, stored } = it;
  dispatcher.attach(0);
  for (const id of ['a', 'b', 'c']) await append(0, id);
  await append(1, 'poison');
  for (let n = 0; n < 100; n++) await append(1, `n${n}`);
  await turn();
  refuse(it, 0, 0, 1);
  t.strictSame(dispatcher.standing('unreadable'), [0]);
  t.strictSame(dispatcher.standing('broken'), []);
  answer(0, inbox[0]?.filter(({ id }) => id !== 'poison') ?? []);
  inbox[0] = [];
  t.equal(opened[0]?.committed, 1);
  t.equal(dispatcher.inFlight, 1);
  // Alone in flight at three losses, and no more.
  for (let losses = 0; losses < 3; losses++) {
    dispatcher.detach(0);
    inbox[0] = [];
    dispatcher.attach(0);
  }
  await turn();
  await turn();
  t.strictSame(ids(stored.map(({ envelope }) => envelope)), ['poison']);
  await append(1, 'after');
  await append(0, 'd');
  await turn();
  t.strictSame(ids(inbox[0]), ['after']);
});

t.test('what goes back after a loss leaves the thread its window', async (t) => {
  const it = dispatch(2, 1);
  const { append, answer, dispatcher, inbox } = it;
  dispatcher.attach(0);
  for (const id of ['a', 'b', 'c']) await append(0, id);
  await append(1, 'x');
  await turn();
  dispatcher.detach(0);
  inbox[0] = [];
  dispatcher.attach(0);
  t.strictSame(ids(inbox[0]), ['a', 'b', 'c', 'x'], 'suspects');
  refuse(it, 0, 0, 0);
  answer(0, inbox[0] ?? []);
  inbox[0] = [];
  await Promise.all(Array.from({ length: 200 }, (_, n) => append(1, `m${n}`)));
  await turn();
  t.equal(inbox[0]?.length, 200);
});

t.test('while it stands in line, moves, or is given up', async (t) => {
  const it = dispatch(2, 2);
  const { append, answer, dispatcher, inbox, opened } = it;
  for (const thread of [0, 1]) dispatcher.attach(thread);
  // More than the credit, so that it stands in line again.
  await Promise.all(Array.from({ length: 3_000 }, (_, n) => append(0, `m${n}`)));
  await turn();
  t.equal(inbox[0]?.length, 2_048);
  refuse(it, 0, 0, 1_000);
  t.equal(dispatcher.inFlight, 1_000);
  await append(0, 'more');
  await turn();
  t.equal(inbox[0]?.length, 1_000, 'nothing more is sent');

  const moved = dispatcher.move(0, 1);
  answer(0, inbox[0]?.splice(0, 999) ?? []);
  await turn();
  t.strictSame(dispatcher.owners, [0, 1], 'one message is in flight');
  answer(0, inbox[0]?.splice(0) ?? []);
  await moved;
  t.strictSame(dispatcher.owners, [1, 1]);
  t.strictSame(dispatcher.standing('unreadable'), [0]);
  t.strictSame(inbox[1], []);

  await dispatcher.giveUp(0);
  t.equal(opened[0]?.committed, 1_000);
  t.strictSame(dispatcher.standing('unreadable'), []);
  dispatcher.adopt(0, 2);
  t.equal(inbox.flat().length, 2_001, 'another may read it');
  refuse(it, inbox[0]?.length === 0 ? 1 : 0, 0, 1_000);
  dispatcher.drop(0);
  t.strictSame(dispatcher.standing('unreadable'), []);
  t.equal(dispatcher.inFlight, 0);
});
