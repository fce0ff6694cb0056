import t from 'tap';
import { BEGUN, ThreadMeter } from './thread-meter.js';

t.test('what an actor begins with is counted once each, whatever deliveries it came by', async (t) => {
  const meter = new ThreadMeter();
  const now = meter.arrival();
  const entry = (key: string, arrivedAt = BEGUN) => ({ arrivedAt, message: { key, receivedAt: 0 } });
  const longAgo = (now - 60_500 * 100) | 0;
  // The third delivery is another one than the first; the last entry was begun with before.
  const batch = [entry('a', longAgo), entry('a', longAgo), entry('b', now), entry('a', longAgo), entry('c')];
  meter.began(batch, false);
  meter.began(batch, false);
  const { times, hottest } = meter.take();
  const counts = times.queue?.buckets.filter((_, at) => at % 2 === 1) ?? [];
  t.equal(
    counts.reduce((sum, count) => sum + count, 0),
    4,
  );
  t.ok((times.queue?.sum ?? 0) >= 3 * 60.5 && (times.queue?.sum ?? 0) < 3 * 60.5 + 30);
  t.strictSame(
    hottest.map(({ key }) => key),
    ['a', 'b', 'c'],
  );
});
