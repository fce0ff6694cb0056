/** What a running system says that it measured: real threads, a log in memory. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { encodeEnvelope } from '../envelope.js';
import type { MessageLog } from '../message-log.js';
import { MemoryLog } from '../testing/memory-log.js';
import { startSystem } from '../testing/system.js';
import { until } from '../testing/until.js';
import type { HistogramCounts } from './histogram.js';

t.setTimeout(60_000);

function tellSince(log: MessageLog, key: string, text: string, receivedAt: number): void {
  const payload = Buffer.from(text);
  const id = randomUUID();
  const envelope = { id, actor: 'recorder', key, dedupe: id, receivedAt, traceparent: '', payload };
  log.open('recorder')[Number(key) % log.partitions]?.append(encodeEnvelope(envelope), {
    appended: () => {},
    appendFailed: (error) => t.fail(String(error)),
  });
}

const total = ({ counts }: HistogramCounts) => counts.reduce((sum, count) => sum + count, 0);
/** How many took longer than so many seconds. */
const above = ({ bounds, counts }: HistogramCounts, bound: number) =>
  counts.slice(bounds.indexOf(bound) + 1).reduce((sum, count) => sum + count, 0);

t.test('each message is in each time once, from its acceptance on', async (t) => {
  const { log, system } = await startSystem(t, 'recorder', { log: new MemoryLog(4) });
  const now = Date.now();
  for (let n = 0; n < 300; n++) tellSince(log, `${n % 7}`, 'ok', now);
  for (let n = 0; n < 10; n++) tellSince(log, '3', 'ok', now - 60_500);
  tellSince(log, '9', 'ok', 0);
  await until('all is handled', () => log.lag() === 0, 30_000);
  await until('it is told', () => total(system.measures().pools[0]?.times.age ?? never) === 310);
  const [pool] = system.measures().pools;
  if (pool === undefined) throw new Error('no pool');
  const { logWait, queue, turn, age } = pool.times;
  t.strictSame([total(logWait), total(queue), total(age)], [310, 311, 310], 'one has no time of acceptance');
  t.strictSame([above(logWait, 60), above(age, 60)], [10, 10]);
  t.ok(age.sum >= 605 && age.sum < 1_600);
  t.ok(total(turn) >= 2 && total(turn) <= 311);
  t.equal(pool.hottest[0]?.key, '3');
  t.ok(pool.hottest.length <= 8);
});

const never: HistogramCounts = { bounds: [], counts: [], sum: 0 };

t.test('a slow actor shows: its turns, what waits, and whose event loop stands still', async (t) => {
  const { log, system } = await startSystem(t, 'recorder', { log: new MemoryLog(2) });
  await until('threads are measured', () =>
    (system.stats().actors[0]?.threadStats ?? []).every(({ loop }) => loop !== undefined),
  );
  const [first, second] = system.stats().actors[0]?.threadStats ?? [];
  t.match(first, { thread: 0, mode: 'ready', partitions: 1 });
  t.match(second, { thread: 1, mode: 'ready', partitions: 1 });
  t.ok(
    (first?.loop?.heapBytes ?? 0) > 1e6 &&
      (first?.loop?.busy ?? 2) <= 1 &&
      (first?.loop?.heapBytesMax ?? 0) > 128 * 2 ** 20,
  );
  tellSince(log, '0', 'wait:1200', Date.now());
  await until('it is in the thread', () => system.stats().actors[0]?.inFlight === 1);
  for (let n = 0; n < 50; n++) tellSince(log, '0', 'ok', Date.now());
  await until('all are on the log', () => log.lag() === 51);
  t.match(system.stats().actors[0], { lag: 51, lagMax: 51 });
  t.match(system.partitions(), [
    { actor: 'recorder', partition: 0, thread: 0, lag: 51, mode: 'owned' },
    { actor: 'recorder', partition: 1, thread: 1, lag: 0, mode: 'owned' },
  ]);
  await until('the mailbox is deep', () => system.stats().actors[0]?.mailboxMax === 50);
  await until('all is handled', () => log.lag() === 0);
  await until('it is told', () => total(system.measures().pools[0]?.times.age ?? never) === 51);
  const times = system.measures().pools[0]?.times;
  t.equal(above(times?.turn ?? never, 1), 1);
  t.ok(above(times?.queue ?? never, 0.5) >= 50);
  t.strictSame(system.measures().pools[0]?.deepest, [], 'one mailbox a thread has no key');
});

t.test('a drain tells what was measured last', async (t) => {
  const measured = await startSystem(t, 'recorder', { log: new MemoryLog(2) });
  tellSince(measured.log, '0', 'ok', Date.now());
  await until('it is handled', () => measured.system.stats().actors[0]?.done === 1);
  await measured.system.drain(5_000);
  t.equal(total(measured.system.measures().pools[0]?.times.age ?? never), 1);
});

t.test('a system measures nothing while it is told so', async (t) => {
  const { system, log } = await startSystem(t, 'recorder', { log: new MemoryLog(1) });
  const loop = () => system.stats().actors[0]?.threadStats[0]?.loop;
  const counted = () => total(system.measures().pools[0]?.times.age ?? never);
  const tellOne = async (done: number) => {
    tellSince(log, '0', 'ok', Date.now());
    await until('it is handled', () => system.stats().actors[0]?.done === done);
  };
  await until('it measures', () => loop() !== undefined);
  await tellOne(1);
  system.measure(false);
  await until('it does not measure', () => loop() === undefined);
  t.equal(counted(), 1, 'what was measured is told');
  await tellOne(2);
  system.measure(true);
  await until('it measures again', () => loop() !== undefined);
  await tellOne(3);
  await system.drain(5_000);
  t.equal(counted(), 2);
});
