import t from 'tap';
import { Intake } from './intake.js';

t.test('waits until nothing is pending', async (t) => {
  const intake = new Intake();
  t.equal(await intake.idle(0), true, 'at once when nothing is');
  intake.begin();
  intake.begin();
  const idle = Promise.all([intake.idle(5000), intake.idle(5000)]);
  intake.settle();
  t.equal(intake.pending, 1);
  t.equal(await intake.idle(1), false, 'or until the deadline');
  intake.settle();
  t.same(await idle, [true, true]);
});

t.test('a mode only moves on', async (t) => {
  const intake = new Intake();
  let drains = 0;
  intake.onDrain(() => drains++);
  t.equal(intake.mode, 'open');
  intake.leave();
  t.equal(intake.mode, 'leaving');
  t.equal(intake.isTaking, true);
  t.equal(drains, 0);
  intake.drain();
  intake.drain();
  intake.leave();
  t.equal(intake.mode, 'draining');
  t.equal(intake.isTaking, false);
  t.equal(drains, 1);
  intake.close();
  intake.drain();
  t.equal(intake.mode, 'closed');
});

t.test('settling what has not begun is an error of the program', async (t) => {
  t.throws(() => new Intake().settle(), { name: 'AssertionError' });
});
