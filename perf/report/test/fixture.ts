/** Results as a run could have found them, so that reports are tried without one. The figures are made up. */
import type { Results, Role, ScenarioResult, Series } from '../../harness/results.js';
import { group, latencies, measure, ratio, rounds } from './made.js';

const BARE = 'bare uWebSockets.js, nothing kept';
const EDGE = 'Tether: gateway and journal';
const NODE = 'Tether: the whole node';
const BULLMQ = 'Fastify, BullMQ, Redis (everysec)';
const PG_BOSS = 'Fastify, pg-boss';
const GRAPHILE = 'Express, graphile-worker';
const NATS = 'NATS JetStream (sync_interval: always), pg';

const ack: ScenarioResult = {
  name: 'ack',
  title: 'Durable acknowledgements',
  method: [
    '7 rounds; each measures every subject for 3 s at 512 and at 1 connections (closed loop, wrk with one thread, signed EMP notifications built before the run).',
    'Tether is measured twice: gateway and journal with a reader that commits at once, and the whole node, whose actors and Postgres share the cores with it.',
    'A synced write is 4 KiB written and synced (fdatasync) in a preallocated file on the same disk.',
  ],
  measures: [
    group('Acknowledged, 512 connections', 'requests/s', 'more', [
      measure(BARE, 'limit', rounds(57_400, 0.03)),
      measure(EDGE, 'tether', rounds(42_300, 0.06)),
      measure(NODE, 'tether', rounds(21_700, 0.09)),
      measure(BULLMQ, 'peer', rounds(4_310, 0.05)),
      measure(PG_BOSS, 'peer', rounds(1_940, 0.12)),
      measure(GRAPHILE, 'peer', rounds(1_120, 0.1)),
    ]),
    group('Median answer, 1 connection', 'us', 'less', [
      measure(BARE, 'limit', rounds(41, 0.04)),
      measure('bare 4 KiB write and fdatasync', 'limit', rounds(212, 0.1)),
      measure(EDGE, 'tether', rounds(401, 0.08)),
      measure(NODE, 'tether', rounds(455, 0.1)),
      measure(BULLMQ, 'peer', rounds(690, 0.08)),
      measure(PG_BOSS, 'peer', rounds(1_880, 0.15)),
    ]),
  ],
  ratios: [
    ratio(
      '512 connections, Tether / bare uWebSockets.js',
      rounds(0.738, 0.05),
      { atLeast: 0.75 },
      'missed-within-noise',
    ),
    ratio('64 connections, Tether / bare uWebSockets.js', rounds(0.512, 0.06), { atLeast: 0.4 }, 'met'),
    ratio(
      '1 connection, median answer / bare write and fdatasync',
      rounds(1.93, 0.04),
      { atMost: 1.8 },
      'missed',
    ),
    ratio(`64 connections, Tether / ${BULLMQ}`, rounds(9.4, 0.07)),
    ratio(`64 connections, whole node / ${BULLMQ}`, rounds(4.9, 0.1)),
    ratio(
      'open loop at half of the highest rate: p99, ms',
      rounds(4.72, 0.16),
      { atMost: 5 },
      'met-within-noise',
    ),
  ],
  curves: [
    latencies('Answers, open loop at half of the highest rate', [
      [`${EDGE}, 20,012/s`, 'tether', [0.71, 0.93, 1.42, 1.9, 4.7, 9.8, 14.1, 18.9]],
      [`${BULLMQ}, 2,110/s`, 'peer', [1.2, 1.7, 3.1, 5.5, 18.3, 61, 118, 141]],
      [`${BARE}, 28,700/s`, 'limit', [0.08, 0.1, 0.16, 0.24, 0.71, 2.2, 4.4, 6.1]],
    ]),
  ],
  warnings: [
    `${BARE}, 512 connections: the load generator kept 0.97 of its one core busy, so this could do more than is shown`,
  ],
  seconds: 312.4,
};

const e2e: ScenarioResult = {
  name: 'e2e',
  title: 'Processed end to end',
  method: [
    '7 rounds; each gives every subject 30,000 notifications and waits until the last of their rows is committed in Postgres.',
    'Every subject verifies the signature, keeps the notification durably before it answers, and writes one row for each.',
  ],
  measures: [
    group('Committed', 'events/s', 'more', [
      measure(NODE, 'tether', rounds(14_900, 0.06)),
      measure(NATS, 'peer', rounds(1_410, 0.08)),
      measure(BULLMQ, 'peer', rounds(1_720, 0.05)),
      measure(PG_BOSS, 'peer', rounds(610, 0.1)),
      measure(GRAPHILE, 'peer', rounds(480, 0.07)),
      measure('bare COPY of the rows', 'limit', rounds(96_000, 0.04)),
    ]),
    group('CPU of all processes for an event', 'us', 'less', [
      measure(NODE, 'tether', rounds(96, 0.05)),
      measure(NATS, 'peer', rounds(870, 0.06)),
      measure(BULLMQ, 'peer', rounds(760, 0.06)),
      measure(PG_BOSS, 'peer', rounds(2_300, 0.07)),
      measure(GRAPHILE, 'peer', rounds(2_950, 0.06)),
    ]),
  ],
  ratios: [ratio('Tether / the best peer that is as durable', rounds(10.4, 0.07), { atLeast: 8 }, 'met')],
  curves: [],
  warnings: [],
  seconds: 508.1,
};

const burst: ScenarioResult = {
  name: 'burst',
  title: 'A burst of 50,000 notifications',
  method: [
    '7 rounds after one that warms up. In each the whole node, at rest for 3 s, gets 50,000 new notifications over 256 connections as fast as it answers.',
  ],
  measures: [
    group('Until the last is acknowledged', 's', 'less', [
      measure(BARE, 'limit', rounds(0.91, 0.05)),
      measure(NODE, 'tether', rounds(1.61, 0.09)),
    ]),
    group('Until the last is committed', 's', 'less', [
      measure('one COPY of the rows', 'limit', rounds(0.52, 0.06)),
      measure(NODE, 'tether', rounds(2.96, 0.1)),
    ]),
  ],
  ratios: [
    ratio('last acknowledged / bare uWebSockets.js', rounds(1.78, 0.05), { atMost: 2 }, 'met'),
    ratio('last committed / bare COPY', rounds(5.7, 0.12), { atMost: 6 }, 'met-within-noise'),
  ],
  curves: [],
  warnings: [],
  seconds: 121.9,
};

const soakMinutes = Array.from({ length: 61 }, (_, minute) => minute);
const memory = (name: string, role: Role, startMiB: number, driftMiB: number): Series => ({
  name,
  role,
  points: soakMinutes.map((minute) => [
    minute,
    startMiB + driftMiB * (minute / 60) + 14 * Math.sin(minute * 1.7) + 6 * Math.sin(minute * 5.3),
  ]),
});

const soak: ScenarioResult = {
  name: 'soak',
  title: 'An hour of steady traffic',
  method: [
    'One hour at 1,000 notifications/s over 64 connections; the resident memory of all processes of a subject is read once a minute.',
  ],
  measures: [
    group('Resident memory, last ten minutes', 'MiB', 'less', [
      measure(NODE, 'tether', [343.2]),
      measure(BULLMQ, 'peer', [418.9]),
    ]),
  ],
  ratios: [ratio('memory, last ten minutes / first ten', [1.012], { atMost: 1.05 }, 'met')],
  curves: [
    {
      title: 'Resident memory',
      x: { title: 'minutes', scale: 'linear' },
      y: { title: 'MiB', scale: 'linear' },
      series: [memory(NODE, 'tether', 338, 4), memory(BULLMQ, 'peer', 301, 118)],
    },
  ],
  warnings: ['Fastify, BullMQ, Redis (everysec): memory still grew at the end, by 2.0 MiB a minute'],
  seconds: 3_671,
};

const knob: ScenarioResult = {
  name: 'group-commit',
  title: 'Group commit: how long to wait for company',
  method: ['5 rounds for each setting of TETHER_JOURNAL_LINGER_US, in turn; 512 connections, closed loop.'],
  measures: [],
  ratios: [],
  curves: [
    {
      title: 'Acknowledged over the time that a commit waits',
      x: { title: 'linger, us', scale: 'log' },
      y: { title: 'requests/s', scale: 'linear' },
      series: [
        {
          name: '512 connections',
          role: 'tether',
          points: [50, 100, 200, 500, 1_000, 2_000, 5_000].map((us) => [
            us,
            43_000 / (1 + (Math.log10(us / 300) / 2.2) ** 2),
          ]),
        },
        {
          name: '64 connections',
          role: 'tether',
          points: [50, 100, 200, 500, 1_000, 2_000, 5_000].map((us) => [us, 26_000 / (1 + us / 1_500)]),
        },
      ],
    },
  ],
  warnings: [],
  seconds: 95,
};

const messages = (tether: number, limit: number, nact: number, poolifier: number, piscina: number) => [
  measure('Tether, 2 threads', 'tether', rounds(tether, 0.04, 5)),
  measure('a function call in a loop', 'limit', rounds(limit, 0.02, 5)),
  measure('nact', 'peer', rounds(nact, 0.05, 5)),
  measure('poolifier, 2 threads', 'peer', rounds(poolifier, 0.06, 5)),
  measure('Piscina, 2 threads', 'peer', rounds(piscina, 0.06, 5)),
];

const actors: ScenarioResult = {
  name: 'actors',
  title: 'Actors (Savina)',
  method: [
    '5 rounds; every subject runs in a process of its own and is warmed up until three runs lie within 5 % of one another.',
  ],
  measures: [
    group('Ping-pong', 'messages/s', 'more', messages(4_120_000, 310_000_000, 890_000, 41_000, 38_500)),
    group('Counting', 'messages/s', 'more', messages(9_800_000, 420_000_000, 1_200_000, 44_000, 41_000)),
  ],
  ratios: [ratio('ping-pong, Tether / nact', rounds(4.6, 0.05, 5), { atLeast: 3 }, 'met')],
  curves: [],
  warnings: ['Piscina, 2 threads: its rate did not become steady in the warm-up'],
  seconds: 240,
};

export const FIXTURE: Results = {
  format: 1,
  startedAt: '2026-11-26T09:30:00.000Z',
  environment: {
    cpu: 'AMD EPYC 7B13',
    cores: 8,
    memoryBytes: 33_567_000_000,
    kernel: '6.1.0-28-amd64',
    node: 'v20.20.0',
    fileSystem: 'ext4',
    loadBefore: 0.08,
    commit: '9d23903',
    programs: { wrk: '4.1.0', 'redis-server': '7.0.15', 'nats-server': '2.9.10', psql: '15.14' },
    pinning: 'load on core 7, what is measured on 0-6',
  },
  scenarios: [ack, e2e, burst, actors, knob, soak],
};
