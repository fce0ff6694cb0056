import t from 'tap';
import type { PoolStatus, Status } from '../../gateway/index.js';
import { diagnose, type Observed } from './diagnose.js';
import { HEALTHY, POOL, settings, thread } from './test/observed.js';

const withPool = (pool: Partial<PoolStatus>, more: Partial<Observed> = {}): Observed => ({
  ...HEALTHY,
  pools: [{ ...POOL, ...pool }],
  ...more,
});
const GATEWAY: Status['node'] = { ...HEALTHY.node, role: 'gateway' };
const CLUSTER: Status['cluster'] = {
  node: 'gateway-1',
  nodes: [],
  gateways: ['gateway-1'],
  owned: 0,
  partitions: 64,
  leasesLost: 0,
};
const behind = { lag: 5_000, behindMs: 12_000, inFlight: 2_048 };
const away = (name: 'postgres' | 's3', state = 'away'): Status['dependencies'] => [
  { name, state, callsPerSecond: 0, failuresPerSecond: 0, callMs: null },
];

/** What a node looks like, and the first line that it gets. */
const CASES: readonly (readonly [
  what: string,
  observed: Observed,
  first: { code: string; title?: RegExp; detail?: RegExp } | undefined,
])[] = [
  ['healthy', HEALTHY, undefined],
  [
    'a gateway without workers',
    { ...HEALTHY, node: GATEWAY, cluster: CLUSTER },
    { code: 'cluster-without-workers', title: /^No node of the cluster reads partitions$/ },
  ],
  [
    'a gateway with one',
    { ...HEALTHY, node: GATEWAY, cluster: { ...CLUSTER, nodes: ['worker-1'] } },
    undefined,
  ],
  ['a worker that is about to join', { ...HEALTHY, cluster: CLUSTER }, undefined],
  ['a lag that is worked off', withPool({ lag: 5_000, behindMs: 400 }), undefined],
  [
    'a slow actor',
    withPool({ ...behind, turnMs: { p50: 900, p95: 1_200, p99: 1_300 } }),
    {
      code: 'pool-behind',
      title: /^Pool payment is behind: its actor is slow, and its threads are idle 90 %$/,
    },
  ],
  [
    'threads that start',
    withPool({ ...behind, threads: ['starting', 'lost'].map((mode) => ({ ...thread, mode, busy: null })) }),
    {
      code: 'pool-behind',
      title: /none of its threads is there yet/,
      detail: /They are starting and lost; 5,000 messages wait/,
    },
  ],
  [
    'a thread that starts beside one that works',
    withPool({ ...behind, threads: [thread, { ...thread, thread: 1, mode: 'starting', busy: null }] }),
    { code: 'pool-behind', title: /its actor is slow/ },
  ],
  [
    'busy threads',
    withPool({ ...behind, threads: [{ ...thread, busy: 0.99 }] }),
    { code: 'pool-behind', title: /its threads have no time left/ },
  ],
  [
    'slow Postgres',
    withPool(
      { ...behind, turnMs: { p50: 400, p95: 500, p99: 600 } },
      {
        dependencies: [
          {
            name: 'postgres',
            state: 'ok',
            callsPerSecond: 5,
            failuresPerSecond: 0,
            callMs: { p50: 350, p95: 400, p99: 450 },
          },
        ],
      },
    ),
    { code: 'pool-behind', title: /it waits for Postgres/ },
  ],
  ['one key', withPool({ ...behind, mailboxMax: 2_000 }), { code: 'pool-behind', title: /one key has most/ }],
  [
    'the one mailbox of a thread, with many keys in it',
    withPool({ ...behind, mailboxMax: 2_000, live: 1 }),
    { code: 'pool-behind', title: /its actor is slow/ },
  ],
  [
    'Postgres away, whatever else comes of it',
    withPool({ ...behind, outage: 'TETHER_POSTGRES_UNAVAILABLE' }, { dependencies: away('postgres') }),
    { code: 'dependency-away', title: /^Postgres is away$/ },
  ],
  [
    'an outage that no dependency explains',
    withPool({ ...behind, outage: 'TETHER_ENVELOPE_VERSION' }),
    { code: 'pool-waits', title: /TETHER_ENVELOPE_VERSION/ },
  ],
  [
    'a paused pool',
    withPool({ mode: 'paused', lag: 3 }),
    { code: 'pool-paused', title: /payment is paused/ },
  ],
  [
    'no thread',
    withPool({ ...behind, threads: [{ ...thread, mode: 'lost' }] }),
    { code: 'pool-without-threads', title: /has no thread/ },
  ],
  ['lost threads', withPool({ unstable: true }), { code: 'pool-unstable', title: /again and again/ }],
  [
    'a full log, before the pool that filled it',
    withPool(behind, { log: { ...HEALTHY.log, state: 'full' } }),
    { code: 'log-full', title: /senders get 503/, detail: /^[\d.,]+ \wiB of [\d.,]+ \wiB are used/ },
  ],
  [
    'a full log with more in it than senders may fill',
    withPool(behind, { log: { ...HEALTHY.log, state: 'full', bytes: 3 * 2 ** 30, bytesMax: 2 ** 30 } }),
    { code: 'log-full', detail: /more than senders may fill/ },
  ],
  [
    'a failed log',
    { ...HEALTHY, log: { ...HEALTHY.log, state: 'failed' } },
    { code: 'log-closed', title: /it is failed/ },
  ],
  [
    'a slow disk',
    { ...HEALTHY, log: { ...HEALTHY.log, commitMs: { p50: 30, p95: 60, p99: 90 } } },
    { code: 'log-slow', title: /90 ms/ },
  ],
  [
    'a busy gateway',
    { ...HEALTHY, main: { ...HEALTHY.main, busy: 0.97 } },
    { code: 'gateway-busy', title: /busy 97 %/ },
  ],
  [
    'refusals',
    { ...HEALTHY, rates: { ...HEALTHY.rates, refused: 50 } },
    { code: 'refusals', title: /^50 requests/ },
  ],
  [
    'dead letters',
    { ...HEALTHY, totals: { ...HEALTHY.totals, deadLettersWaiting: 1 } },
    { code: 'dead-letters', title: /^1 dead letter waits/ },
  ],
  [
    'other settings',
    withPool({ settings: { current: settings, file: { ...settings, max: 2 }, differs: true } }),
    { code: 'settings-differ', title: /payment/ },
  ],
];

t.test('the first line names the cause', async (t) => {
  for (const [what, observed, expected] of CASES) {
    const [first] = diagnose(observed);
    if (expected === undefined) t.equal(first, undefined, what);
    else t.match(first, expected, what);
  }
});

t.test('each finding says what to do, and the worst stands first', async (t) => {
  const all = diagnose({
    ...withPool({ mode: 'paused', lag: 1 }),
    dependencies: [...away('s3', 'preparing'), ...away('postgres')],
    main: { ...HEALTHY.main, busy: 1 },
    totals: { ...HEALTHY.totals, deadLettersWaiting: 12_000 },
  });
  t.same(
    all.map(({ severity, code }) => `${severity} ${code}`),
    [
      'critical dependency-away',
      'warning dependency-away',
      'warning pool-paused',
      'warning gateway-busy',
      'warning dead-letters',
    ],
  );
  for (const { title, detail, advice } of all) t.ok(title !== '' && detail !== '' && advice !== '', title);
});
