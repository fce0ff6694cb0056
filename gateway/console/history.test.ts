import t from 'tap';
import { appended, EMPTY } from './app/history.js';
import { statusOf } from './test/figures.js';

t.test('a second is added once, and the oldest goes', async (t) => {
  let history = EMPTY;
  for (let second = 1; second <= 400; second++) {
    history = appended(history, statusOf(second * 1_000, []));
    history = appended(history, statusOf(second * 1_000 + 100, []));
  }
  t.equal(history.at.length, 300);
  t.equal(history.at[0], 101_000);
  for (const values of Object.values(history)) t.equal(values.length, 300, 'all are of one length');
  t.equal(history.ageMsP95[0], 420, 'of the slowest pool');
});
