import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { systemClock } from '../clock.js';
import { SharedLogLevel } from '../log-level.js';
import { silentLogger } from '../logger.js';
import { module } from '../testing/system.js';
import { until } from '../testing/until.js';
import { ThreadPool } from './thread-pool.js';

t.setTimeout(180_000);

function start(test: Test, threads: number, settings: object = {}) {
  const lost: number[] = [];
  const ready: number[] = [];
  const pool = new ThreadPool({
    threads,
    task: {
      actor: 'recorder',
      batching: { batchMax: 1, lingerMs: 0 },
      module: module('recorder'),
      settings: { channel: randomUUID(), ...settings },
      retry: { attemptsMax: 3, delayMs: 10, delayMsMax: 50 },
      receiveMsMax: 300_000,
      logLevel: new SharedLogLevel('error').cell,
      places: 1,
      grouped: [],
      snapshots: undefined,
      limits: undefined,
      measures: new Int32Array(1),
    },
    heapMibMax: 64,
    youngHeapMib: 16,
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    onMessage: (thread, { type }) => void (type === 'ready' && ready.push(thread)),
    onEnding: () => {},
    onEnded: () => {},
    onLost: (thread) => lost.push(thread),
  });
  test.teardown(() => pool.drain(1_000));
  pool.start();
  return { pool, lost, ready };
}

t.test('threads come and go; a number is free again when its thread has ended', async (t) => {
  const { pool, lost, ready } = start(t, 1);
  t.strictSame([pool.add(), pool.add()], [1, 2]);
  await until('all are ready', () => pool.modes.every((mode) => mode === 'ready'), 60_000);
  const removed = pool.remove(1, 10_000);
  t.equal(pool.mode(1), 'draining');
  t.equal(pool.add(), 3, 'the number of a thread that still ends is not given again');
  await removed;
  t.strictSame(pool.threads, [0, 2, 3]);
  t.equal(pool.add(), 1);
  await until('it is ready', () => pool.mode(1) === 'ready' && pool.mode(3) === 'ready', 60_000);
  t.strictSame([...ready].sort(), [0, 1, 1, 2, 3]);
  t.strictSame(lost, [], 'none ended unasked');
  t.throws(() => pool.mode(7), RangeError);
});

t.test('a thread that does not end by itself is cut off', async (t) => {
  const { pool, lost } = start(t, 1, { opensBelow: 1 });
  await until('it is ready', () => pool.mode(0) === 'ready', 60_000);
  await pool.remove(pool.add(), 50);
  t.strictSame([pool.threads, lost], [[0], []]);
});

t.test('threads that have hardly begun to start can be taken away', async (t) => {
  const { pool } = start(t, 0);
  const added = Array.from({ length: 3 }, () => pool.add());
  await Promise.all(added.map((thread) => pool.remove(thread, 0)));
  t.strictSame(pool.threads, []);
});
