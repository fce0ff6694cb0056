import fc from 'fast-check';
import t from 'tap';
import { ManualClock } from '../../runtime/clock.js';
import { testSeed } from '../../runtime/testing/seed.js';
import { PART_BYTES, PART_BYTES_MIN } from './object-store.js';
import { PartBudget, type PartBuffer } from './part-budget.js';

const KIB = 1024;
const never = () => new AbortController().signal;

/** Until it is as large as a part, or there is no room. */
function growAll(budget: PartBudget, buffer: PartBuffer): void {
  while (buffer.bytes.length < PART_BYTES && budget.tryGrow(buffer, false)) buffer.used = buffer.bytes.length;
}

t.test('a buffer grows with what arrives, and keeps what is in it', async (t) => {
  const budget = new PartBudget(3 * PART_BYTES, new ManualClock());
  const buffer = budget.open();
  t.equal(budget.held, 0);
  const sizes: number[] = [];
  while (buffer.bytes.length < PART_BYTES) {
    t.ok(budget.tryGrow(buffer, false));
    sizes.push(buffer.bytes.length);
    t.equal(budget.held, buffer.bytes.length);
    if (buffer.used > 0) t.equal(buffer.bytes[0], 42);
    buffer.bytes[0] = 42;
    buffer.used = buffer.bytes.length;
  }
  t.strictSame(sizes, [256 * KIB, 512 * KIB, 1024 * KIB, 2048 * KIB, PART_BYTES_MIN, PART_BYTES]);
  budget.close(buffer);
  budget.close(buffer);
  t.equal(budget.held, 0);
  const whole = budget.open();
  t.ok(budget.tryGrow(whole, true));
  t.equal(whole.bytes.length, PART_BYTES, 'a fast stream gets a whole part at once');
});

t.test('who waits gets room in the order of asking, and nobody overtakes', async (t) => {
  const budget = new PartBudget(2 * PART_BYTES, new ManualClock());
  const [full, first, second, third] = [budget.open(), budget.open(), budget.open(), budget.open()];
  growAll(budget, full);
  t.notOk(budget.tryGrow(first, false));
  const order: string[] = [];
  const waits = [
    budget.grow(first, never()).then(() => order.push('first')),
    budget.grow(second, never()).then(() => order.push('second')),
    budget.grow(third, never()).then(() => order.push('third')),
  ];
  await waits[0];
  t.equal(first.bytes.length, PART_BYTES, 'the part that is kept aside is lent to the first');
  t.strictSame([order, budget.waiting], [['first'], 2]);
  t.notOk(budget.tryGrow(budget.open(), false));
  budget.close(first);
  await waits[1];
  t.strictSame([order, budget.waiting], [['first', 'second'], 1]);
  budget.close(full);
  await waits[2];
  t.strictSame([order, budget.waiting], [['first', 'second', 'third'], 0]);
  t.ok(budget.held <= 2 * PART_BYTES);
});

t.test('nobody overtakes who needs more than there is', async (t) => {
  const budget = new PartBudget(3 * PART_BYTES, new ManualClock());
  growAll(budget, budget.open());
  const [lent, waiting] = [budget.open(), budget.open()];
  for (const buffer of [lent, waiting, budget.open()]) {
    while (buffer.bytes.length < 2048 * KIB) budget.tryGrow(buffer, false);
  }
  await budget.grow(lent, never());
  const granted = budget.grow(waiting, never());
  t.equal(budget.waiting, 1);
  t.notOk(budget.tryGrow(budget.open(), false), 'though there are 2 MiB');
  budget.close(lent);
  await granted;
  t.ok(budget.tryGrow(budget.open(), false));
});

t.test('nobody waits for ever', async (t) => {
  const clock = new ManualClock();
  const budget = new PartBudget(2 * PART_BYTES, clock, 1_000);
  const [full, lent, late, gone] = [budget.open(), budget.open(), budget.open(), budget.open()];
  growAll(budget, full);
  await budget.grow(lent, never());
  const waiting = budget.grow(late, never());
  const aborted = new AbortController();
  const leaving = budget.grow(gone, aborted.signal);
  aborted.abort(new Error('gone'));
  await t.rejects(leaving, /gone/);
  clock.advance(1_000);
  await t.rejects(waiting, { code: 'TETHER_OBJECTS_UNAVAILABLE', outage: true });
  t.strictSame([budget.waiting, clock.pending], [0, 0]);
  await t.rejects(budget.grow(gone, aborted.signal), /gone/);
  t.throws(() => new PartBudget(2 * PART_BYTES - 1, clock), RangeError);
});

t.test('many writers that each hold a little always come to an end', async (t) => {
  const seed = testSeed(t);
  const steps = fc.array(fc.record({ writer: fc.nat(29), grows: fc.nat(4) }), { maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const bytesMax = 3 * PART_BYTES;
      const budget = new PartBudget(bytesMax, new ManualClock());
      const buffers = Array.from({ length: 30 }, () => budget.open());
      for (const { writer, grows } of steps) {
        const buffer = buffers[writer];
        for (let i = 0; i < grows && buffer !== undefined && buffer.bytes.length < PART_BYTES; i++) {
          if (!budget.tryGrow(buffer, false)) break;
          buffer.used = buffer.bytes.length;
        }
        if (budget.held > bytesMax) throw new Error(`${budget.held} bytes are held`);
      }
      // Each now wants a whole part, and puts it when it has one.
      const ends = buffers.map(async (buffer) => {
        while (buffer.bytes.length < PART_BYTES) {
          if (!budget.tryGrow(buffer, false)) await budget.grow(buffer, never());
          buffer.used = buffer.bytes.length;
          if (budget.held > bytesMax) throw new Error(`${budget.held} bytes are held`);
        }
        await new Promise((resolve) => setImmediate(resolve));
        budget.close(buffer);
      });
      let over = false;
      void Promise.allSettled(ends).then(() => {
        over = true;
      });
      for (let turn = 0; turn < 2_000 && !over; turn++) await new Promise((resolve) => setImmediate(resolve));
      if (!over) throw new Error(`${budget.waiting} writers wait for one another`);
      await Promise.all(ends);
      if (budget.held !== 0) throw new Error(`${budget.held} bytes are left`);
    }),
    { seed, numRuns: 25 },
  );
});
