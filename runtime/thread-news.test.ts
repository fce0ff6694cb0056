import t from 'tap';
import { ThreadNews } from './thread-news.js';

t.test('the delay is that of the slowest thread, as long as it is fresh', async (t) => {
  const news = new ThreadNews();
  t.equal(news.delayMs(1_000), 0);
  news.load(0, { delayMs: 20, live: 0 }, 1_000);
  news.load(1, { delayMs: 70, live: 0 }, 1_000);
  t.equal(news.delayMs(1_500), 70);
  news.load(0, { delayMs: 5, live: 0 }, 6_000);
  t.equal(news.delayMs(6_001), 5);
  news.forget(0);
  t.equal(news.delayMs(6_001), 0);
});

t.test('an outage lasts until it is over, or its thread is gone', async (t) => {
  const news = new ThreadNews();
  t.equal(news.outageOf(0, { code: 'AWAY' }), undefined);
  t.equal(news.outageOf(0, { code: 'AWAY' }), 'AWAY');
  t.equal(news.outage, 'AWAY');
  t.equal(news.outageOf(0, { code: undefined }), 'AWAY');
  t.equal(news.outage, undefined);
  news.outageOf(1, { code: 'GONE' });
  news.forget(1);
  t.equal(news.outage, undefined);
});

t.test('activations of all threads', async (t) => {
  const news = new ThreadNews();
  news.done(0, { live: 3 });
  news.done(1, { live: 2 });
  t.equal(news.live, 5);
  news.done(0, { live: 1 });
  news.forget(1);
  t.equal(news.live, 1);
});
