import t from 'tap';
import { nextAttemptMs, retryAfterMs } from './backoff.js';

const SETTINGS = { delaySeconds: 5, delaySecondsMax: 3_600, totalSeconds: 86_400 };

t.test('delays grow, vary, and end', async (t) => {
  t.equal(
    nextAttemptMs(1, 0, 0, SETTINGS, () => 0),
    2_500,
  );
  t.equal(
    nextAttemptMs(3, 0, 0, SETTINGS, () => 0.5),
    15_000,
  );
  t.equal(
    nextAttemptMs(1_000, 0, 0, SETTINGS, () => 0),
    1_800_000,
  );
  t.equal(
    nextAttemptMs(1, 86_399_000, 0, SETTINGS, () => 0),
    undefined,
  );
  t.equal(
    nextAttemptMs(1, 0, 0, { ...SETTINGS, totalSeconds: 0 }, () => 0),
    undefined,
  );
  t.equal(
    nextAttemptMs(1, 0, 60_000, SETTINGS, () => 0),
    60_000,
    'what the target asks for',
  );
  t.equal(
    nextAttemptMs(1, 0, 1e9, SETTINGS, () => 0),
    3_600_000,
    'within bounds',
  );
});

t.test('Retry-After: seconds or a date, nothing else', async (t) => {
  const now = Date.UTC(2026, 10, 26, 9, 0, 0);
  t.equal(retryAfterMs('120', now), 120_000);
  t.equal(retryAfterMs('Thu, 26 Nov 2026 09:01:00 GMT', now), 60_000);
  t.equal(retryAfterMs('Thu, 26 Nov 2026 08:00:00 GMT', now), 0, 'over');
  for (const text of [undefined, '', '-1', '1.5', '1e9', 'soon', '99999999999']) {
    t.equal(retryAfterMs(text, now), 0, String(text));
  }
});
