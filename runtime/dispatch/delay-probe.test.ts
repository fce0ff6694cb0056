import t from 'tap';
import { DelayProbe } from './delay-probe.js';

t.test('a message that waits counts with its age, one that was sent with its delay, once', async (t) => {
  const probe = new DelayProbe();
  t.equal(probe.sample(5), 0);
  probe.set(7, 100);
  t.equal(probe.sample(130), 30);
  probe.sent(7, () => 140);
  t.equal(probe.sample(150), 50, 'the one before it was sent, not the message itself');
  probe.sent(8, () => 160);
  t.equal(probe.waits, false);
  t.equal(probe.sample(1_000), 60);
  t.equal(probe.sample(1_001), 0);
});

t.test('what is forgotten has no delay', async (t) => {
  const probe = new DelayProbe();
  probe.set(7, 100);
  probe.forget();
  probe.sent(8, () => 160);
  t.equal(probe.sample(200), 0);
});
