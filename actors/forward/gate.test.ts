import t from 'tap';
import { ManualClock } from '../../runtime/clock.js';
import { Gate } from './gate.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

t.test('so many at once, the others in their order as places come free', async (t) => {
  const clock = new ManualClock();
  const gate = new Gate({ concurrency: 2, ratePerSecond: Number.POSITIVE_INFINITY, burst: 1 }, clock);
  const inside: number[] = [];
  for (let n = 0; n < 4; n++) void gate.enter(1_000).then((isIn) => isIn && inside.push(n));
  await turn();
  t.strictSame(inside, [0, 1]);
  gate.leave();
  await turn();
  t.strictSame(inside, [0, 1, 2]);
  clock.advance(1_000);
  gate.leave();
  gate.leave();
  await turn();
  t.strictSame(inside, [0, 1, 2], 'who has waited too long does not come in later');
  t.equal(await gate.enter(1), true);
  t.equal(clock.pending, 0);
});

t.test('so many in a second, after a pause as many as the burst', async (t) => {
  const clock = new ManualClock();
  const gate = new Gate({ concurrency: 100, ratePerSecond: 4, burst: 3 }, clock);
  let inside = 0;
  for (let n = 0; n < 20; n++) void gate.enter(2_000).then((isIn) => (inside += isIn ? 1 : 0));
  await turn();
  t.equal(inside, 3);
  for (let ms = 0; ms < 1_000; ms += 10) {
    clock.advance(10);
    await turn();
  }
  t.equal(inside, 7);
  clock.advance(60_000);
  await turn();
  t.ok(inside <= 11, 'the others have given up');
  const before = inside;
  for (let n = 0; n < 5; n++) void gate.enter(1).then((isIn) => (inside += isIn ? 1 : 0));
  await turn();
  t.equal(inside - before, 3);
});

t.test('the line is bounded', async (t) => {
  const clock = new ManualClock();
  const gate = new Gate({ concurrency: 1, ratePerSecond: Number.POSITIVE_INFINITY, burst: 1 }, clock);
  const entered = Array.from({ length: 102 }, () => gate.enter(1_000));
  t.equal(await entered[101], false, 'at once');
  clock.advance(1_000);
  t.strictSame(await Promise.all(entered), [true, ...Array.from({ length: 101 }, () => false)]);
});
