import t from 'tap';
import type { ActorStats } from '../../runtime/pool/actor-stats.js';
import { PoolWatch } from './pool-watch.js';

const settings = { min: 1, max: 1, batchMax: 500, lingerMs: 0, inFlightMax: 2_048 };
const STATS: ActorStats = {
  actor: 'payment',
  mode: 'running',
  threads: ['ready'],
  min: 1,
  max: 1,
  resizing: false,
  partitions: [1],
  delayMs: 0,
  threadStats: [],
  lag: 0,
  lagMax: 0,
  mailboxMax: 0,
  done: 0,
  inFlight: 0,
  live: 0,
  asksPending: 0,
  threadsLost: 0,
  unstable: false,
  outage: undefined,
  broken: [],
  unreadable: [],
  settings: { current: settings, file: settings, differs: false },
};

/** A pool that is looked at once a second. */
function watched() {
  const watch = new PoolWatch('payment');
  let [end, committed] = [0, 0];
  let at = 0;
  return (appended: number, done: number) => {
    at += 1_000;
    end += appended;
    committed += done;
    return watch.look({ ...STATS, done: committed, lag: end - committed }, undefined, at);
  };
}

t.test('how far behind a pool is', async (t) => {
  const look = watched();
  t.equal(look(0, 0).behindMs, 0);
  t.match(look(100, 0), { lag: 100, behindMs: 0, donePerSecond: 0 }, 'just now');
  t.equal(look(0, 0).behindMs, 1_000, 'nothing is done: as long as it has waited');
  t.equal(look(0, 0).behindMs, 2_000);
  const slow = look(0, 10);
  t.match(slow, { lag: 90, donePerSecond: 10 });
  t.equal(slow.behindMs, 3_000, 'never more than the time since nothing waited');
  for (let second = 0; second < 8; second++) look(10, 10);
  t.equal(look(10, 10).behindMs, 9_000, '90 that wait, 10 a second');
  t.equal(look(0, 90).behindMs, 0, 'caught up');
});

t.test('a lag under load that is worked off at once is none', async (t) => {
  const look = watched();
  look(50, 0);
  for (let second = 0; second < 20; second++) {
    const { behindMs } = look(5_000, 5_000);
    if (second > 6) t.ok(behindMs < 20, `${behindMs}`);
  }
});

t.test('a message now and then leaves no pool behind', async (t) => {
  const look = watched();
  for (let second = 0; second < 60; second++) {
    const { behindMs } = second % 5 === 0 ? look(1, 0) : look(0, second % 5 === 1 ? 1 : 0);
    t.equal(behindMs, 0);
  }
});
