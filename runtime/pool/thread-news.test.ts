import t from 'tap';
import { DependencyCalls } from '../measure/dependency-calls.js';
import { PoolMeter } from '../measure/pool-meter.js';
import { ThreadNews } from './thread-news.js';

const idle = { delayMs: 0, live: 0, asksPending: 0, measures: undefined };

t.test('the delay is that of the slowest thread, as long as it is fresh', async (t) => {
  const news = new ThreadNews(new PoolMeter('recorder', new DependencyCalls()));
  t.equal(news.delayMs(1_000), 0);
  news.load(0, { ...idle, delayMs: 20 }, 1_000);
  news.load(1, { ...idle, delayMs: 70 }, 1_000);
  t.equal(news.delayMs(1_500), 70);
  news.load(0, { ...idle, delayMs: 5 }, 6_000);
  t.equal(news.delayMs(6_001), 5);
  news.forget(0);
  t.equal(news.delayMs(6_001), 0);
});

t.test('an outage lasts until it is over, or its thread is gone', async (t) => {
  const news = new ThreadNews(new PoolMeter('recorder', new DependencyCalls()));
  t.equal(news.outageOf(0, { code: 'AWAY' }), undefined);
  t.equal(news.outageOf(0, { code: 'AWAY' }), 'AWAY');
  t.equal(news.outage, 'AWAY');
  t.equal(news.outageOf(0, { code: undefined }), 'AWAY');
  t.equal(news.outage, undefined);
  news.outageOf(1, { code: 'GONE' });
  news.forget(1);
  t.equal(news.outage, undefined);
});

t.test('activations of all threads, and asks', async (t) => {
  const news = new ThreadNews(new PoolMeter('recorder', new DependencyCalls()));
  news.done(0, { live: 3 });
  news.done(1, { live: 2 });
  t.equal(news.live, 5);
  news.load(0, { ...idle, live: 1, asksPending: 4 }, 0);
  news.load(1, { ...idle, live: 2, asksPending: 3 }, 0);
  t.match(news, { live: 3, asksPending: 7 });
  news.forget(1);
  t.match(news, { live: 1, asksPending: 4 });
});
