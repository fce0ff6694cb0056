import t from 'tap';
import { ManualClock } from '../clock.js';
import { until } from '../testing/until.js';
import { PulseWatch, startPulse } from './pulse.js';

t.test('a pulse that stands still is noticed once, one that beats never', async (t) => {
  const clock = new ManualClock();
  let blocked = 0;
  const starting = new PulseWatch(clock, 10_000, () => t.fail('a thread that starts is not blocked'));
  clock.advance(600_000);
  starting.stop();
  const watch = new PulseWatch(clock, 10_000, () => blocked++);
  for (let i = 0; i < 100; i++) {
    Atomics.add(watch.pulse, 0, 1);
    clock.advance(1_000);
  }
  t.equal(blocked, 0);
  clock.advance(9_900);
  t.equal(blocked, 0, 'not before its time');
  clock.advance(3_000);
  t.equal(blocked, 1);
  clock.advance(60_000);
  t.equal(blocked, 1);
  t.equal(clock.pending, 0);
});

t.test('a watch that is stopped looks no more', async (t) => {
  const clock = new ManualClock();
  const watch = new PulseWatch(clock, 1_000, () => t.fail('blocked'));
  watch.stop();
  clock.advance(60_000);
  t.equal(clock.pending, 0);
});

t.test('a thread beats until it is told to stop', async (t) => {
  const pulse = new Int32Array(new SharedArrayBuffer(4));
  const stop = startPulse(pulse, 20);
  t.equal(pulse[0], 1, 'at once');
  await until('it beats', () => Atomics.load(pulse, 0) > 3);
  stop();
});
