import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { appendText } from '../log-contract.js';
import { Appender } from './appender.js';
import { LogKeys } from './keys.js';
import { RedisPartition } from './partition.js';

/** An appender whose answers the test gives, in the order that it likes. */
function start(replicated?: () => Promise<boolean>) {
  const answers: ((firsts: readonly number[]) => void)[] = [];
  const failures: ((error: Error) => void)[] = [];
  const appender = new Appender({
    scripts: {
      append: () =>
        new Promise((resolve, reject) => {
          answers.push(resolve);
          failures.push(reject);
        }),
    },
    channel: 't:appended',
    manyAtOnce: true,
    pendingBytesMax: 1_000,
    replicated,
    state: () => 'open',
    hasRoomToPassOn: () => true,
    onLanded: () => {},
    onFull: () => {},
    atTurnEnd: setImmediate,
  });
  const partition = new RedisPartition(
    {
      admit: (bytes) => appender.admit(bytes),
      admitPassedOn: (bytes) => appender.admitPassedOn(bytes),
      touched: (touched) => appender.touched(touched),
      committed: () => {},
      read: async () => [],
    },
    { actor: 'a', index: 0, keys: new LogKeys('t').of('a', 0) },
    { end: 0, committed: 0 },
  );
  const lost: string[] = [];
  partition.onLost = (why) => lost.push(why);
  return { answers, failures, appender, partition, lost };
}

t.test('news of later appends overtake the answer', async (t) => {
  const { answers, partition, lost } = start();
  const appended = appendText(partition, 'x');
  await until('it is sent', () => answers.length === 1);
  partition.grewTo(7);
  answers[0]?.([3]);
  t.equal(await appended, 3);
  t.strictSame([partition.end, lost], [7, []], 'nothing is lost, and the end stays');

  const next = appendText(partition, 'y');
  await until('it is sent', () => answers.length === 2);
  answers[1]?.([2]);
  t.equal(await next, 2);
  t.strictSame([partition.end, lost], [3, ['went-back']], 'the log ended before what was known');
});

t.test('what comes while two groups are on their way goes with the next, in one frame', async (t) => {
  const { answers, appender, partition } = start();
  const all = ['1', '2'].map((text) => appendText(partition, text));
  await until('the first is sent', () => answers.length === 1);
  all.push(appendText(partition, '3'));
  await until('the second is sent', () => answers.length === 2);
  all.push(appendText(partition, '4'), appendText(partition, '5'));
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(answers.length, 2, 'no third at once');
  answers[0]?.([0]);
  await until('the third is sent', () => answers.length === 3);
  answers[1]?.([2]);
  answers[2]?.([3]);
  t.strictSame(await Promise.all(all), [0, 1, 2, 3, 4]);
  t.match(appender.counters, { appended: 5, commits: 3, pendingBytes: 0 });
  await appender.drained();
});

t.test('what too few replicas have is not acknowledged, and read all the same', async (t) => {
  const { answers, partition } = start(async () => false);
  let woken = 0;
  partition.onAppended = () => {
    woken++;
  };
  const appended = appendText(partition, 'x');
  await until('it is sent', () => answers.length === 1);
  answers[0]?.([0]);
  await t.rejects(appended, { code: 'TETHER_LOG_UNAVAILABLE', message: /too few replicas/ });
  partition.grewTo(1);
  t.strictSame([partition.end, woken], [1, 1], 'its reader is told once, whatever the news');
});

t.test('a connection is lost while the append and its replicas are awaited', async (t) => {
  const asked: ((error: Error) => void)[] = [];
  const { failures, partition } = start(() => new Promise((_, reject) => asked.push(reject)));
  const appended = appendText(partition, 'x');
  await until('both are asked', () => failures.length === 1 && asked.length === 1);
  // A rejection that nobody takes would fail this test.
  failures[0]?.(new Error('lost'));
  asked[0]?.(new Error('lost'));
  await t.rejects(appended, { code: 'TETHER_LOG_UNAVAILABLE', message: /lost/ });
});
