import t from 'tap';
import { LogClosedError, LogFullError } from '../runtime/errors.js';
import { AppendAll } from './append-all.js';

function waiting(count: number) {
  const told: unknown[] = [];
  const all = new AppendAll(count, {
    appended: () => void told.push('appended'),
    appendFailed: (error) => void told.push(error),
  });
  return { all, told };
}

t.test('all of them, then once', async (t) => {
  const { all, told } = waiting(3);
  all.appended(7);
  all.appended(1);
  t.same(told, [], 'not before the last');
  all.appended(2);
  t.same(told, ['appended']);
});

t.test('one failure is the failure of all, told when the last is settled', async (t) => {
  const [full, closed] = [new LogFullError('full'), new LogClosedError('closed')];
  const { all, told } = waiting(4);
  all.appended(1);
  all.appendFailed(full);
  all.appendFailed(closed);
  t.same(told, []);
  all.appended(2);
  t.equal(told.length, 1);
  t.equal(told[0], full, 'the first of them');
});
