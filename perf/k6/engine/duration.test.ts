import t from 'tap';
import { durationMs } from './duration.js';

t.test('durations as k6 writes them', async (t) => {
  t.strictSame(
    ['1h30m', '1.5s', '500ms', '0s', '1d', '2m3s', 250, 0].map(durationMs),
    [5_400_000, 1_500, 500, 0, 86_400_000, 123_000, 250, 0],
  );
});

t.test('what is none', async (t) => {
  for (const value of ['', '10', '1 s', '-1s', '1s2', 'soon', -1, Number.NaN, undefined, null, {}])
    t.equal(durationMs(value), undefined, String(value));
});
