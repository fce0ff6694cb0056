import t from 'tap';
import { dispatch, turn } from '../testing/dispatch.js';
import { DeliveryGate } from './delivery-gate.js';

const ids = (inbox: readonly (readonly { readonly id: string }[])[]) =>
  inbox.map((sent) => sent.map(({ id }) => id));

t.test('nothing is sent while the gate is shut; then all of it, in order', async (t) => {
  const gate = new DeliveryGate();
  const { append, dispatcher, inbox, answer, clock } = dispatch(2, 2, { gate });
  dispatcher.attach(0);
  await append(0, 'a0');
  await turn();
  gate.shut();
  gate.shut();
  for (const id of ['a1', 'a2']) await append(0, id);
  await append(1, 'b0');
  dispatcher.attach(1);
  answer(0, inbox[0]?.splice(0) ?? []);
  await turn();
  t.strictSame(ids(inbox), [[], []]);
  t.equal(dispatcher.done, 1, 'what a thread had it finishes');
  clock.advance(70);
  t.equal(dispatcher.load().delayMs, 70, 'what waits for the gate waits');
  gate.open();
  gate.open();
  t.strictSame(ids(inbox), [['a1', 'a2'], ['b0']]);
  await append(1, 'b1');
  await turn();
  t.strictSame(ids(inbox)[1], ['b0', 'b1']);
});

t.test('a dispatcher that is paused, or stopped, stays so when the gate opens', async (t) => {
  const gate = new DeliveryGate();
  const { append, dispatcher, inbox } = dispatch(1, 1, { gate });
  dispatcher.attach(0);
  gate.shut();
  await append(0, 'a0');
  await turn();
  dispatcher.pause();
  gate.open();
  t.strictSame(ids(inbox), [[]]);
  dispatcher.resume();
  t.strictSame(ids(inbox), [['a0']]);
  gate.shut();
  await append(0, 'a1');
  await turn();
  dispatcher.stop();
  gate.open();
  t.strictSame(ids(inbox), [['a0']]);
});

t.test('a partition moves and is given up while the gate is shut', async (t) => {
  const gate = new DeliveryGate();
  const { append, dispatcher, inbox, answer } = dispatch(2, 2, { gate });
  dispatcher.attach(0);
  dispatcher.attach(1);
  await append(0, 'a0');
  await append(1, 'b0');
  await turn();
  gate.shut();
  await append(0, 'a1');
  await append(1, 'b1');
  await turn();
  const moved = dispatcher.move(0, 1);
  const given = dispatcher.giveUp(1);
  answer(0, inbox[0]?.splice(0) ?? []);
  answer(1, inbox[1]?.splice(0) ?? []);
  await Promise.all([moved, given]);
  await turn();
  t.strictSame(ids(inbox), [[], []]);
  gate.open();
  t.strictSame(ids(inbox), [[], ['a1']], 'its new owner has it, and what was given up nobody here');
});
