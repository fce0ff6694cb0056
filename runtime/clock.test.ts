import t from 'tap';
import { ManualClock, systemClock } from './clock.js';

t.test('alarms ring in the order of their times, those set on the way too', async (t) => {
  const clock = new ManualClock(1_000);
  const rung: string[] = [];
  clock.after(30, () => rung.push(`c${clock.now()}`));
  clock.after(10, () => {
    rung.push(`a${clock.now()}`);
    clock.after(10, () => rung.push(`b${clock.now()}`));
  });
  const cancel = clock.after(15, () => rung.push('never'));
  cancel();
  clock.advance(25);
  t.strictSame(rung, ['a1010', 'b1020']);
  t.equal(clock.pending, 1);
  clock.advance(100);
  t.strictSame(rung, ['a1010', 'b1020', 'c1030']);
  t.equal(clock.now(), 1_125);
});

t.test('the system clock rings and cancels', async (t) => {
  let never = true;
  const cancel = systemClock.after(1, () => {
    never = false;
  });
  cancel();
  await new Promise<void>((resolve) => systemClock.after(20, resolve));
  t.equal(never, true);
});
