/** Made-up measurements, and what is said of them. */
import t from 'tap';
import { findBottleneck, type Limit } from './find-bottleneck.js';
import type { LoadSeen, Measurements, NodeSeen, PoolSeen, Step, Verdict } from './measurements.js';

const SETTINGS = { min: 1, max: 1, batchMax: 500, lingerMs: 0, inFlightMax: 2_048 };
const range = (min: number, max: number) => ({ min, max });
const ALLOWED = {
  min: range(1, 64),
  max: range(1, 64),
  batchMax: range(1, 500),
  lingerMs: range(0, 10_000),
  inFlightMax: range(1, 16_384),
};
const times = (p50: number, p99 = p50 * 2) => ({ p50, p95: p99 * 0.8, p99 });

const load = (more: Partial<LoadSeen> = {}): LoadSeen => ({
  rate: 1_000,
  seconds: 3,
  connections: 64,
  sent: 3_000,
  acknowledged: 3_000,
  failures: 0,
  rejected: {},
  latencyMs: times(2, 20),
  busy: 0.3,
  machineBusy: 0.5,
  ...more,
});
const pool = (more: Partial<PoolSeen> = {}): PoolSeen => ({
  actor: 'payment',
  threads: 1,
  busy: 0.2,
  donePerSecond: 500,
  lag: 1_500,
  growth: 0.5,
  inFlight: 1_500,
  mailboxMax: 10,
  live: 900,
  turnMs: times(50),
  settings: SETTINGS,
  ...more,
});
const node = (more: Partial<NodeSeen> = {}): NodeSeen => ({
  gatewayBusy: 0.3,
  eventLoopDelayMs: 5,
  acknowledgeMs: times(2, 10),
  commitMs: times(0.3, 2),
  logState: 'open',
  dependencies: [
    { name: 'postgres', state: 'ok', callMs: times(4), callsPerSecond: 100 },
    { name: 's3', state: 'ok', callMs: null, callsPerSecond: 0 },
  ],
  pool: pool(),
  ...more,
});
const postgres = (p50: number, state = 'ok'): NodeSeen['dependencies'] => [
  { name: 'postgres', state, callMs: times(p50), callsPerSecond: 100 },
];
const step = (verdict: Verdict, more: Partial<NodeSeen> = {}, moreLoad: Partial<LoadSeen> = {}): Step => ({
  load: load(moreLoad),
  node: node(more),
  verdict,
});
const short = { acknowledged: 1_500 } as const;
const HELD = step('held', { pool: pool({ lag: 0, growth: 0 }) }, { rate: 500, acknowledged: 1_500 });

const measured = (last: Step, more: Partial<Measurements> = {}): Measurements => ({
  steps: [HELD, last],
  log: { driver: 'journal', durability: 'commit' },
  cores: 4,
  allowed: ALLOWED,
  ...more,
});

interface Case {
  readonly what: string;
  readonly given: Measurements;
  readonly limit: Limit;
  readonly says: RegExp;
  /** `setting from -> to`, in their order. */
  readonly recommends?: readonly string[];
}

const CASES: readonly Case[] = [
  {
    what: 'healthy: every rate was held',
    given: measured(step('held', { pool: pool({ growth: 0, lag: 3 }) })),
    limit: 'none',
    says: /^No limit was reached: 1,000\/s were acknowledged, p99 20 ms/,
  },
  {
    what: 'threads without time, and free cores',
    given: measured(step('behind', { pool: pool({ busy: 0.97 }) })),
    limit: 'worker-cpu',
    says: /^The pool's CPU limits: payment did 500\/s with 1 thread busy 97 %; 1500 messages/,
    recommends: ['min 1 -> 2', 'max 1 -> 2'],
  },
  {
    what: 'threads without time, and no core free',
    given: measured(step('behind', { pool: pool({ busy: 0.97 }) }, { machineBusy: 0.99 })),
    limit: 'worker-cpu',
    says: /busy 97 %/,
  },
  {
    what: 'threads without time on another machine, whose cores are not known',
    given: measured(step('behind', { pool: pool({ busy: 0.97 }) }, { machineBusy: null }), { cores: null }),
    limit: 'worker-cpu',
    says: /CPU/,
    recommends: ['min 1 -> 2', 'max 1 -> 2'],
  },
  {
    what: 'as many threads as the node allows',
    given: measured(
      step('behind', {
        pool: pool({ busy: 0.97, threads: 64, settings: { ...SETTINGS, min: 64, max: 64 } }),
      }),
    ),
    limit: 'worker-cpu',
    says: /64 threads/,
  },
  {
    what: 'a pool that has not grown to its maximum yet grows by itself',
    given: measured(step('behind', { pool: pool({ busy: 0.97, settings: { ...SETTINGS, max: 4 } }) })),
    limit: 'worker-cpu',
    says: /CPU/,
  },
  {
    what: 'a pool at the maximum of its range: the maximum alone',
    given: measured(
      step('behind', { pool: pool({ busy: 0.95, threads: 2, settings: { ...SETTINGS, max: 2 } }) }),
    ),
    limit: 'worker-cpu',
    says: /2 threads/,
    recommends: ['max 2 -> 4'],
  },
  {
    what: 'slow Postgres, and a batch that was made small',
    given: measured(
      step('behind', {
        pool: pool({ settings: { ...SETTINGS, batchMax: 20 } }),
        dependencies: postgres(40),
      }),
    ),
    limit: 'postgres',
    says: /^Postgres limits: payment did 500\/s, and a call took 40 ms \(p50\), 80 ms \(p99\)/,
    recommends: ['batchMax 20 -> 80', 'min 1 -> 2', 'max 1 -> 2'],
  },
  {
    what: 'a slow object store',
    given: measured(
      step('behind', {
        dependencies: [{ name: 's3', state: 'ok', callMs: times(45), callsPerSecond: 9 }],
      }),
    ),
    limit: 's3',
    says: /^The object store limits/,
    recommends: ['min 1 -> 2', 'max 1 -> 2'],
  },
  {
    what: 'one key',
    given: measured(
      step('behind', { pool: pool({ mailboxMax: 1_400, settings: { ...SETTINGS, batchMax: 400 } }) }),
    ),
    limit: 'hot-key',
    says: /^One key limits: .*1400 of 1500 messages/,
    recommends: ['batchMax 400 -> 500'],
  },
  {
    what: 'an actor that waits for nobody knows what, whether cores are free or not',
    given: measured(step('behind', {}, { machineBusy: 1 })),
    limit: 'actor-waits',
    says: /waits for something that is not measured: .* 1 thread busy 20 %.*a receive took 50 ms/,
    recommends: ['min 1 -> 2', 'max 1 -> 2'],
  },
  {
    what: 'the gateway thread',
    given: measured(step('short', { gatewayBusy: 0.96 }, short)),
    limit: 'gateway',
    says: /^The gateway's thread limits: it was busy 96 %.* 500\/s of 1,000\/s/,
  },
  {
    what: 'the sender',
    given: measured(step('short', {}, { ...short, busy: 0.98 })),
    limit: 'load',
    says: /^The load itself is the limit: the sender's thread had no time left \(busy 98 %\); the gateway's was busy 30 %/,
  },
  {
    what: 'contradictory: the sender and the gateway have no time left',
    given: measured(step('slow', { gatewayBusy: 0.97 }, { busy: 0.98, latencyMs: times(90, 400) })),
    limit: 'load',
    says: /and so had the gateway's \(97 %\)/,
  },
  {
    what: 'the fsync of the journal',
    given: measured(step('short', { commitMs: times(30), acknowledgeMs: times(45) }, short)),
    limit: 'log',
    says: /^Writing to the log limits: the journal's fsync took 30 ms \(p50\), 60 ms \(p99\) of answers of 45 ms/,
  },
  {
    what: 'a disk that is slow now and then',
    given: measured(
      step('slow', { commitMs: times(0.4, 300), acknowledgeMs: times(2, 320) }, { latencyMs: times(3, 400) }),
    ),
    limit: 'log',
    says: /300 ms \(p99\) of answers of 320 ms/,
  },
  {
    what: 'contradictory: commits that are late now and then, on a machine without a free core',
    given: measured(
      step(
        'slow',
        { commitMs: times(0.4, 300), acknowledgeMs: times(2, 320) },
        { latencyMs: times(3, 400), machineBusy: 1 },
      ),
    ),
    limit: 'cores',
    says: /cores were busy 100 %/,
  },
  {
    what: 'commits that are slow all the time, on such a machine',
    given: measured(
      step('short', { commitMs: times(30), acknowledgeMs: times(45) }, { ...short, machineBusy: 1 }),
    ),
    limit: 'log',
    says: /fsync took 30 ms/,
  },
  {
    what: 'the append of Redis',
    given: measured(step('short', { commitMs: times(30), acknowledgeMs: times(45) }, short), {
      log: { driver: 'redis', durability: 'commit' },
    }),
    limit: 'log',
    says: /Redis's append took 30 ms/,
  },
  {
    what: 'and that of its replicas',
    given: measured(step('short', { commitMs: times(30), acknowledgeMs: times(45) }, short), {
      log: { driver: 'redis', durability: 'replicated' },
    }),
    limit: 'log',
    says: /Redis's append and its replicas/,
  },
  {
    what: 'contradictory: a slow commit of a log that writes nothing',
    given: measured(
      step('slow', { commitMs: times(30), acknowledgeMs: times(45) }, { latencyMs: times(90, 400) }),
      { log: { driver: 'journal', durability: 'memory' } },
    ),
    limit: 'unknown',
    says: /^No part that is measured explains it\. 1,000\/s of 1,000\/s were acknowledged, p99 400 ms/,
  },
  {
    what: 'a machine without a free core',
    given: measured(step('slow', {}, { machineBusy: 0.99, latencyMs: times(50, 400) })),
    limit: 'cores',
    says: /^The machine limits: its cores were busy 99 %; the sender's thread 30 % of one, the gateway's 30 %/,
  },
  {
    what: 'connections that all wait',
    given: measured(step('short', {}, short)),
    limit: 'load',
    says: /its 64 connections were all waiting/,
  },
  {
    what: 'a full log is the pool that does not empty it',
    given: measured(step('refused', { logState: 'full', pool: pool({ busy: 0.95 }) }, { failures: 900 })),
    limit: 'worker-cpu',
    says: /CPU/,
    recommends: ['min 1 -> 2', 'max 1 -> 2'],
  },
  {
    what: 'refusals',
    given: measured(step('refused', {}, { failures: 900, rejected: { 429: 800, timeout: 3 } })),
    limit: 'disturbed',
    says: /^At 1,000\/s the node refused: 800 x 429, 3 x timeout/,
  },
  {
    what: 'Postgres went away meanwhile',
    given: measured(step('behind', { pool: pool({ busy: 0.99 }), dependencies: postgres(40, 'away') })),
    limit: 'disturbed',
    says: /^Postgres was away meanwhile/,
  },
  {
    what: 'a node that said nothing',
    given: measured({ load: load({ latencyMs: times(50, 500) }), node: null, verdict: 'slow' }),
    limit: 'unknown',
    says: /the node said nothing meanwhile/,
  },
  {
    what: 'missing: how busy anything is, and how long anything takes',
    given: measured(
      step(
        'behind',
        {
          gatewayBusy: null,
          acknowledgeMs: null,
          commitMs: null,
          dependencies: [],
          pool: pool({ busy: null, turnMs: null, donePerSecond: null }),
        },
        { latencyMs: null, machineBusy: null },
      ),
    ),
    limit: 'actor-waits',
    says: /payment did less than came with 1 thread that waited; 1500 messages waited at the end\.$/,
    recommends: ['min 1 -> 2', 'max 1 -> 2'],
  },
  {
    what: 'a node without a pool',
    given: measured(step('short', { pool: null, gatewayBusy: 0.95 }, short), { allowed: null }),
    limit: 'gateway',
    says: /^The gateway/,
  },
  {
    what: 'a rate that was not held once, and a higher one that was',
    given: {
      ...measured(HELD),
      steps: [step('slow', {}, { rate: 100 }), HELD],
    },
    limit: 'none',
    says: /500\/s were acknowledged/,
  },
  {
    what: 'nothing',
    given: { ...measured(HELD), steps: [] },
    limit: 'unknown',
    says: /^Nothing was measured/,
  },
];

t.test('each limit is found, and what is recommended fits', async (t) => {
  for (const { what, given, limit, says, recommends = [] } of CASES) {
    const found = findBottleneck(given);
    t.equal(found.limit, limit, what);
    t.match(found.sentence, says, what);
    t.strictSame(
      found.recommendations.map(({ setting, from, to }) => `${setting} ${from} -> ${to}`),
      recommends,
      what,
    );
    t.ok(found.advice !== '', what);
    if (what.includes('by itself')) t.match(found.advice, /grows by itself to 4 threads/);
    t.notMatch(JSON.stringify(found), /NaN|undefined|null|Infinity/, what);
  }
});

t.test('the evidence is of the step that decided, and leaves out what is not known', async (t) => {
  const { evidence } = findBottleneck(
    measured(step('short', { gatewayBusy: 0.96, pool: null, commitMs: null }, short)),
  );
  t.match(evidence, { rate: 1_000, acknowledgedPerSecond: 500, gatewayBusy: 0.96, senderBusy: 0.3 });
  for (const name of ['poolBusy', 'donePerSecond', 'commitMsP50']) t.notOk(name in evidence, name);
});
