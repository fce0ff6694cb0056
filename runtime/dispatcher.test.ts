import fc from 'fast-check';
import t from 'tap';
import { ManualClock } from './clock.js';
import type { DeadLetter } from './dead-letter.js';
import { DeadLetterWriter } from './dead-letter-writer.js';
import { Dispatcher } from './dispatcher.js';
import { decodeEnvelope, encodeEnvelope } from './envelope.js';
import { frameItems } from './frame.js';
import { silentLogger } from './logger.js';
import { MemoryLog } from './testing/memory-log.js';
import { until } from './testing/until.js';
import type { Deliver } from './worker-protocol.js';

interface Sent {
  readonly partition: number;
  readonly offset: number;
  readonly bytes: number;
  readonly id: string;
}

/** The dispatcher with simulated threads: `inbox` holds what each has and has not answered. */
function fixture(partitions: number, threads: number, storing: () => Promise<void> = async () => {}) {
  const log = new MemoryLog(partitions);
  const opened = log.open('test');
  const stored: DeadLetter[] = [];
  const sink = {
    put: async (letters: readonly DeadLetter[]) => {
      await storing();
      stored.push(...letters);
    },
  };
  const inbox: Sent[][] = Array.from({ length: threads }, () => []);
  const dispatcher = new Dispatcher({
    actor: 'test',
    partitions: opened,
    threads,
    post(thread, { slices, body }: Deliver) {
      const items = frameItems(body);
      for (let at = 0; at < slices.length; at += 3) {
        const [partition, first, count] = slices.slice(at, at + 3) as [number, number, number];
        for (let offset = first; offset < first + count; offset++) {
          const item = items.next().value as Uint8Array;
          inbox[thread]?.push({ partition, offset, bytes: item.length + 4, id: decodeEnvelope(item).id });
        }
      }
      if (!items.next().done) throw new Error('a delivery with more envelopes than its slices say');
    },
    deadLetters: new DeadLetterWriter(sink, new ManualClock(), silentLogger),
    clock: new ManualClock(),
    logger: silentLogger,
  });
  const append = (partition: number, id: string) =>
    new Promise<number>((resolve, reject) => {
      const payload = Buffer.from(id);
      const envelope = { id, actor: 'test', key: id, dedupe: id, receivedAt: 0, traceparent: '', payload };
      opened[partition]?.append(encodeEnvelope(envelope), { appended: resolve, appendFailed: reject });
    });
  const answer = (thread: number, sent: readonly Sent[]) => {
    const ranges = sent.flatMap(({ partition, offset }) => [partition, offset, offset + 1]);
    const bytes = sent.reduce((sum, { bytes }) => sum + bytes, 0);
    dispatcher.finished(thread, { type: 'done', ranges, count: sent.length, bytes, live: 1 });
  };
  return { log, opened, dispatcher, inbox, append, answer, stored };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

t.test(
  'what was appended before and after a thread is ready reaches the owner of its partition, in order',
  async (t) => {
    const { append, dispatcher, inbox, answer, opened } = fixture(4, 2);
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
  const { append, dispatcher, inbox, answer, log } = fixture(1, 1);
  dispatcher.attach(0);
  await Promise.all(Array.from({ length: 5_000 }, (_, n) => append(0, `m${n}`)));
  await turn();
  t.equal(inbox[0]?.length, 2_048);
  answer(0, inbox[0]?.slice(0, 500) ?? []);
  t.equal(inbox[0]?.length, 2_548, 'credit given back is used at once');
  t.equal(log.lag(), 4_500);
});

t.test('credit is bounded in bytes too', async (t) => {
  const { append, dispatcher, inbox } = fixture(1, 1);
  dispatcher.attach(0);
  for (let n = 0; n < 300; n++) await append(0, `${n}-`.padEnd(65_536, 'x'));
  const bytes = inbox[0]?.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0;
  t.ok(bytes >= 8 * 1_048_576 && bytes < 8.5 * 1_048_576, `${bytes} bytes in flight`);
});

t.test('what waits behind a held key has a credit of its own, bounded too', async (t) => {
  const { dispatcher, inbox, append, answer } = fixture(1, 1);
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
  const { append, dispatcher, inbox, answer } = fixture(1, 1);
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
    const { append, dispatcher, inbox, answer, stored, log } = fixture(8, 1);
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
    const { append, dispatcher, inbox, answer, opened, stored } = fixture(1, 1, () => storing);
    dispatcher.attach(0);
    await append(0, 'dead');
    await append(0, 'next');
    await turn();
    const [dead, next] = inbox[0]?.splice(0) ?? [];
    if (dead === undefined || next === undefined) throw new Error('nothing was sent');
    const payload = Buffer.alloc(0);
    const envelope = {
      id: 'dead',
      actor: 'test',
      key: '',
      dedupe: '',
      receivedAt: 0,
      traceparent: '',
      payload,
    };
    const cause = { code: 'X', message: '', stack: '' };
    const { partition, offset, bytes } = dead;
    dispatcher.gaveUp(0, { type: 'dead', partition, offset, bytes, envelope, cause, attempts: 1 });
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
  const { append, dispatcher, inbox } = fixture(1, 1);
  dispatcher.attach(0);
  dispatcher.detach(0);
  dispatcher.detach(0);
  await Promise.all(Array.from({ length: 200 }, (_, n) => append(0, `m${n}`)));
  dispatcher.attach(0);
  t.equal(inbox[0]?.length, 200, 'the window is of full size');
});

t.test('a log that cannot be read stops its partition, and no other', async (t) => {
  const { append, dispatcher, inbox, opened } = fixture(2, 1);
  const broken = opened[0];
  if (broken === undefined) throw new Error('no partition');
  broken.read = () => Promise.reject(new Error('damaged'));
  dispatcher.attach(0);
  await append(0, 'x');
  await append(1, 'y');
  await until('the broken partition is known', () => dispatcher.broken.length > 0);
  t.strictSame(dispatcher.broken, [0]);
  t.strictSame(
    inbox[0]?.map(({ id }) => id),
    ['y'],
  );
});

t.test(
  'under random answers, losses and slow reads: in order, nothing lost, nothing committed that is not done',
  async (t) => {
    const action = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant('append' as const), partition: fc.nat(3) }) },
      { weight: 5, arbitrary: fc.record({ do: fc.constant('answer' as const), pick: fc.nat(1_000) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), thread: fc.nat(1) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('dead' as const), pick: fc.nat(1_000) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 120 }), fc.nat(3), async (actions, promiseEvery) => {
        const { append, dispatcher, inbox, answer, opened, stored, log } = fixture(4, 2);
        for (const partition of opened) partition.promiseEvery = promiseEvery;
        const settled = new Set<string>();
        const seen = new Map<string, number>();
        const place = ({ partition, offset }: Sent) => `${partition}/${offset}`;
        const take = (pick: number): { thread: number; sent: Sent } | undefined => {
          const thread = pick % 2;
          const queue = inbox[thread] ?? [];
          const [sent] = queue.splice(Math.floor(pick / 2) % Math.max(1, queue.length), 1);
          return sent && { thread, sent };
        };
        const check = () => {
          for (const { index, committed } of opened) {
            for (let offset = 0; offset < committed; offset++) {
              if (!settled.has(`${index}/${offset}`))
                throw new Error(`${index}/${offset} is committed and not done`);
            }
          }
          for (const queue of inbox) {
            const last = new Map<number, number>();
            for (const { partition, offset } of queue) {
              if (offset <= (last.get(partition) ?? -1))
                throw new Error(`partition ${partition} is out of order`);
              last.set(partition, offset);
            }
          }
        };
        dispatcher.attach(0);
        dispatcher.attach(1);
        let appended = 0;
        for (const step of actions) {
          if (step.do === 'append') append(step.partition, `m${appended++}`).catch(t.threw);
          if (step.do === 'turn') await turn();
          if (step.do === 'lose') {
            dispatcher.detach(step.thread);
            inbox[step.thread]?.splice(0);
            dispatcher.attach(step.thread);
          }
          if (step.do === 'answer' || step.do === 'dead') {
            const taken = take(step.pick);
            if (taken === undefined) continue;
            const { thread, sent } = taken;
            settled.add(place(sent));
            seen.set(sent.id, (seen.get(sent.id) ?? 0) + 1);
            if (step.do === 'answer') answer(thread, [sent]);
            else {
              const payload = Buffer.alloc(0);
              const envelope = {
                id: sent.id,
                actor: 'test',
                key: '',
                dedupe: '',
                receivedAt: 0,
                traceparent: '',
                payload,
              };
              const cause = { code: 'X', message: '', stack: '' };
              const { partition, offset, bytes } = sent;
              dispatcher.gaveUp(thread, {
                type: 'dead',
                partition,
                offset,
                bytes,
                envelope,
                cause,
                attempts: 1,
              });
            }
          }
          check();
        }
        await until('the rest is handled', async () => {
          await turn();
          for (const [thread, queue] of inbox.entries()) {
            const sent = queue.splice(0);
            for (const one of sent) {
              settled.add(place(one));
              seen.set(one.id, (seen.get(one.id) ?? 0) + 1);
            }
            if (sent.length > 0) answer(thread, sent);
          }
          check();
          return log.lag() === 0;
        });
        const letters = new Set(stored.map(({ envelope }) => envelope.id));
        for (const id of letters) if (seen.get(id) !== 1) return false;
        return seen.size === appended && [...seen.values()].every((times) => times === 1);
      }),
      { numRuns: 300 },
    );
    t.pass();
  },
);
