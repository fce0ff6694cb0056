import t from 'tap';
import { dispatch, letterOf, turn } from '../testing/dispatch.js';
import { until } from '../testing/until.js';

t.test(
  'what was appended before and after a thread is ready reaches the owner of its partition, in order',
  async (t) => {
    const { append, dispatcher, inbox, answer, opened } = dispatch(4, 2);
    await append(1, 'x0');
    dispatcher.attach(0);
    dispatcher.attach(1);
    await append(1, 'x1');
    await append(2, 'y0');
    await turn();
    t.strictSame(
      inbox.map((sent) => sent.map(({ id }) => id)),
      [['y0'], ['x0', 'x1']],
    );
    t.equal(dispatcher.inFlight, 3);
    answer(1, inbox[1]?.slice(1) ?? []);
    t.equal(opened[1]?.committed, 0, 'the first is not done');
    answer(1, inbox[1]?.slice(0, 1) ?? []);
    t.equal(opened[1]?.committed, 2);
    t.equal(dispatcher.done, 2);
  },
);

t.test('credit bounds what a thread has; the rest waits on the log', async (t) => {
  const { append, dispatcher, inbox, answer, log } = dispatch(1, 1);
  dispatcher.attach(0);
  await Promise.all(Array.from({ length: 5_000 }, (_, n) => append(0, `m${n}`)));
  await turn();
  t.equal(inbox[0]?.length, 2_048);
  answer(0, inbox[0]?.slice(0, 500) ?? []);
  t.equal(inbox[0]?.length, 2_548, 'credit given back is used at once');
  t.equal(log.lag(), 4_500);
});

t.test('credit is bounded in bytes too', async (t) => {
  const { append, dispatcher, inbox } = dispatch(1, 1);
  dispatcher.attach(0);
  for (let n = 0; n < 300; n++) await append(0, `${n}-`.padEnd(65_536, 'x'));
  const bytes = inbox[0]?.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0;
  t.ok(bytes >= 8 * 1_048_576 && bytes < 8.5 * 1_048_576, `${bytes} bytes in flight`);
});

t.test('what waits behind a held key has a credit of its own, bounded too', async (t) => {
  const { dispatcher, inbox, append, answer } = dispatch(1, 1);
  dispatcher.attach(0);
  for (let n = 0; n < 25_000; n++) append(0, `${n}`);
  await turn();
  t.equal(inbox[0]?.length, 2_048);
  const bytes = inbox[0]?.reduce((sum, sent) => sum + sent.bytes, 0) ?? 0;
  dispatcher.parked(0, { type: 'parked', messages: 2_000, bytes });
  await until('more comes', () => inbox[0]?.length === 4_048);
  dispatcher.parked(0, { type: 'parked', messages: 1_000_000, bytes: 1e12 });
  await until('as much as may be', () => inbox[0]?.length === 2_048 + 16_384);
  dispatcher.parked(0, { type: 'parked', messages: 0, bytes: 0 });
  answer(0, inbox[0]?.slice(0, 10_000) ?? []);
  await turn();
  t.equal(inbox[0]?.length, 2_048 + 16_384, 'nothing until it is within its window again');
  answer(0, inbox[0]?.slice(10_000, 18_000) ?? []);
  await until('it is', () => inbox[0]?.length === 18_000 + 2_048);
});

t.test('after a loss, what was not done is sent again, without what was', async (t) => {
  const { append, dispatcher, inbox, answer } = dispatch(1, 1);
  dispatcher.attach(0);
  for (const id of ['a', 'b', 'c', 'd', 'e']) await append(0, id);
  await turn();
  answer(0, inbox[0]?.filter(({ id }) => id === 'b' || id === 'd') ?? []);
  inbox[0]?.splice(0);
  dispatcher.detach(0);
  t.equal(dispatcher.inFlight, 0);
  dispatcher.attach(0);
  t.strictSame(
    inbox[0]?.map(({ id }) => id),
    ['a', 'c', 'e'],
  );
});

t.test(
  'a message that ends its thread is found, buried after three lone losses, and the rest goes on',
  async (t) => {
    const { append, dispatcher, inbox, answer, stored, log } = dispatch(8, 1);
    await Promise.all(Array.from({ length: 3_000 }, (_, n) => append(n % 8, n === 700 ? 'poison' : `m${n}`)));
    let losses = 0;
    while (stored.length === 0 && losses < 20) {
      dispatcher.attach(0);
      for (;;) {
        await turn();
        const sent = inbox[0]?.splice(0) ?? [];
        const at = sent.findIndex(({ id }) => id === 'poison');
        if (at >= 0) {
          // What came before it is handled, and then the thread is gone.
          if (at > 0) answer(0, sent.slice(0, at));
          break;
        }
        if (sent.length === 0) break;
        answer(0, sent);
      }
      dispatcher.detach(0);
      losses++;
      await turn();
    }
    t.match(stored, [{ envelope: { id: 'poison' }, cause: { code: 'TETHER_THREAD_CRASH' }, attempts: 3 }]);
    t.ok(losses <= 7, `${losses} losses`);
    dispatcher.attach(0);
    await until('all is handled', async () => {
      await turn();
      const sent = inbox[0]?.splice(0) ?? [];
      if (sent.some(({ id }) => id === 'poison')) throw new Error('the buried message was sent again');
      if (sent.length > 0) answer(0, sent);
      return log.lag() === 0;
    });
    t.equal(dispatcher.done >= 3_000, true);
  },
);

t.test(
  'a given up message is committed when its dead letter is stored, not before, and not sent again meanwhile',
  async (t) => {
    let store = () => {};
    const storing = new Promise<void>((resolve) => {
      store = resolve;
    });
    const { append, dispatcher, inbox, answer, opened, stored } = dispatch(1, 1, { storing: () => storing });
    dispatcher.attach(0);
    await append(0, 'dead');
    await append(0, 'next');
    await turn();
    const [dead, next] = inbox[0]?.splice(0) ?? [];
    if (dead === undefined || next === undefined) throw new Error('nothing was sent');
    dispatcher.gaveUp(0, letterOf(dead));
    answer(0, [next]);
    await turn();
    t.equal(opened[0]?.committed, 0);
    dispatcher.detach(0);
    dispatcher.attach(0);
    await turn();
    t.strictSame(inbox[0], [], 'a new thread gets neither');
    store();
    await until('it is stored', () => stored.length === 1);
    await turn();
    t.equal(opened[0]?.committed, 2);
  },
);

t.test('a loss with nothing in flight accuses nobody', async (t) => {
  const { append, dispatcher, inbox } = dispatch(1, 1);
  dispatcher.attach(0);
  dispatcher.detach(0);
  dispatcher.detach(0);
  await Promise.all(Array.from({ length: 200 }, (_, n) => append(0, `m${n}`)));
  dispatcher.attach(0);
  t.equal(inbox[0]?.length, 200, 'the window is of full size');
});

t.test('a log that cannot be read stops its partition, and no other', async (t) => {
  const { append, dispatcher, inbox, opened } = dispatch(2, 1);
  const broken = opened[0];
  if (broken === undefined) throw new Error('no partition');
  broken.read = () => Promise.reject(new Error('damaged'));
  dispatcher.attach(0);
  await append(0, 'x');
  await append(1, 'y');
  await until('the broken partition is known', () => dispatcher.standing('broken').length > 0);
  t.strictSame(dispatcher.standing('broken'), [0]);
  t.strictSame(
    inbox[0]?.map(({ id }) => id),
    ['y'],
  );
});
