import { channel } from 'node:diagnostics_channel';
import t from 'tap';
import { beginCall, DependencyCalls, toldCall } from './dependency-calls.js';

t.test('calls are counted from the first listener on, with those that failed', async (t) => {
  t.equal(channel('tether:call').hasSubscribers, false);
  t.equal(await toldCall('postgres', () => 1), 1, 'nobody listens');
  t.equal(beginCall('redis'), undefined);
  const calls = new DependencyCalls();
  calls.listen();
  t.teardown(() => calls.close());
  t.equal(await toldCall('postgres', async () => 2), 2);
  const failure = new Error('away');
  await t.rejects(
    toldCall('postgres', () => Promise.reject(failure)),
    failure,
  );
  beginCall('redis')?.(true);
  t.match(calls.take(), [
    { dependency: 'postgres', failures: 1 },
    { dependency: 'redis', failures: 0 },
  ]);
  t.strictSame(calls.take(), [], 'each call is taken once');
  calls.close();
  t.equal(channel('tether:call').hasSubscribers, false);
});

t.test('what threads counted adds up; what no dependency is called so is left out', async (t) => {
  const calls = new DependencyCalls();
  const thread = new DependencyCalls();
  thread.listen();
  await toldCall('s3', () => 1);
  channel('tether:call').publish({ dependency: 'somebody', ms: 1, ok: true });
  thread.close();
  calls.add(structuredClone(thread.take()));
  const counted = calls
    .stats()
    .map(({ dependency, times }) => [dependency, times.counts.reduce((a, b) => a + b, 0)]);
  t.strictSame(counted, [
    ['postgres', 0],
    ['s3', 1],
    ['redis', 0],
  ]);
});

t.test('those that settings name are counted by name, up to a bound', async (t) => {
  const calls = new DependencyCalls();
  calls.listen();
  t.teardown(() => calls.close());
  for (let n = 0; n < 60; n++) beginCall(`forward:t${n}`)?.(n !== 59);
  channel('tether:call').publish({ dependency: 'forward:not a name', ms: 1, ok: true });
  const counted = calls.take();
  t.equal(counted.length, 51);
  t.match(counted.at(-1), { dependency: 'forward:*', failures: 1 });
  t.equal(
    calls
      .stats()
      .at(-1)
      ?.times.counts.reduce((a, b) => a + b, 0),
    0,
    'taken',
  );
  const main = new DependencyCalls();
  main.add(counted);
  t.equal(main.stats().length, 54);
});
