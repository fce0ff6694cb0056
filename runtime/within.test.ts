import t from 'tap';
import { ManualClock } from './clock.js';
import { within } from './within.js';

t.test('what comes in time, what fails in time, and what is late; no timer is left', async (t) => {
  const clock = new ManualClock();
  t.equal(await within(clock, 10, Promise.resolve(7)), 7);
  await t.rejects(within(clock, 10, Promise.reject(new Error('failed'))), /failed/);
  t.equal(clock.pending, 0);
  const late = within(clock, 10, new Promise(() => {}));
  clock.advance(10);
  t.equal(await late, 'late');
  t.equal(clock.pending, 0);
});
