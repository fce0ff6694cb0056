/**
 * What is the matter with a node and what limits it, in words for whoever is on call: the worst first.
 *
 * A cause stands before what comes of it: where Postgres is away, that a pool falls behind is no news. So the rules of one level are asked in
 * their order, and a pool has one finding about its work: what limits it, by `pool-limit.ts`.
 */
import type { Finding, PoolStatus, Status } from '../../gateway/api/status-schema.js';
import { BUSY, isStarted, poolLimit } from './pool-limit.js';
import { count, ms, share } from './words.js';

type Observed = Omit<Status, 'findings'>;

/** A message that waits so long for an actor is behind. */
const BEHIND_MS = 2_000;
/** The objectives of the service: `docs/how-to/alerts.md`. */
const ACKNOWLEDGE_P95_MS = 100;
const REFUSED_SHARE = 0.01;
const SLOW_COMMIT_MS = 50;

const RANK = { critical: 0, warning: 1, info: 2 } as const;

/** @param more what other parts say; it stands behind what is seen here, among equals */
function diagnose(status: Observed, more: readonly Finding[] = []): Finding[] {
  const found = [
    ...ofLog(status),
    ...ofDependencies(status),
    ...ofCluster(status),
    ...status.pools.flatMap((pool) => ofPool(status, pool)),
    ...ofCommits(status),
    ...ofGateway(status),
    ...ofDeadLetters(status),
    ...ofSettings(status),
    ...more,
  ];
  // Stable: among equals the order of the rules.
  return found.sort((a, b) => RANK[a.severity] - RANK[b.severity]);
}

function ofLog({ log }: Observed): Finding[] {
  const { state, bytes, bytesMax } = log;
  if (state === 'full') {
    return [
      {
        severity: 'critical',
        code: 'log-full',
        title: 'The log is full: senders get 503',
        detail: `${used(bytes, bytesMax)}, ${count(log.lag)} messages wait`,
        advice: 'Find what holds the actors up, below; the log takes messages again as they are done.',
      },
    ];
  }
  if (state !== 'open') {
    return [
      {
        severity: 'critical',
        code: 'log-closed',
        title: `The log takes no messages: it is ${state}`,
        detail: 'Nothing that was acknowledged is lost; senders get 503',
        advice: 'The log of the service has the cause. Mend it, then restart the node.',
      },
    ];
  }
  return [];
}

/** Beyond what senders may fill is what actors pass on. */
function used(bytes: number, bytesMax: number | null): string {
  if (bytesMax === null) return `${mib(bytes)} are used`;
  if (bytes <= bytesMax) return `${mib(bytes)} of ${mib(bytesMax)} are used`;
  return `${mib(bytes)} are used, ${mib(bytes - bytesMax)} more than senders may fill, by messages that actors passed on`;
}

function ofDependencies({ dependencies, pools }: Observed): Finding[] {
  return dependencies
    .filter(({ state }) => state !== 'ok')
    .map(({ name, state }) => ({
      severity:
        name !== 's3' && !GETTING_READY.includes(state) ? ('critical' as const) : ('warning' as const),
      code: 'dependency-away',
      subject: name,
      title: `${NAMES[name]} is ${state}`,
      detail: `${count(pools.reduce((sum, { lag }) => sum + lag, 0))} messages wait; they are kept, and done when it is back`,
      advice: `Mend ${NAMES[name]} or the way to it; nothing has to be done here afterwards.`,
    }));
}

/** As a gateway sees it: a node that reads partitions says by its own pools what is the matter. */
function ofCluster({ cluster, node, log, dependencies }: Observed): Finding[] {
  if (cluster === null || node.role !== 'gateway' || cluster.nodes.length > 0) return [];
  // Nobody hears of anybody then.
  if (dependencies.some(({ name, state }) => name === 'redis' && state !== 'ok')) return [];
  return [
    {
      severity: 'critical',
      code: 'cluster-without-workers',
      title: 'No node of the cluster reads partitions',
      detail: `${count(log.lag)} messages wait; what is acknowledged is kept, and none of it is done`,
      advice: 'Start a worker node (TETHER_ROLE=worker or all). The log of one that ended says why.',
    },
  ];
}

const GETTING_READY = ['starting', 'preparing'];
const NAMES = { postgres: 'Postgres', s3: 'The object store', redis: 'Redis' } as const;

function ofPool(status: Observed, pool: PoolStatus): Finding[] {
  const { actor, mode, threads, outage, unstable, lag } = pool;
  const about = { subject: actor };
  if (mode !== 'running') {
    const title = `Pool ${actor} is ${mode}`;
    const detail = `${count(lag)} messages wait for it`;
    const severity = lag > 0 ? ('warning' as const) : ('info' as const);
    return [
      { ...about, severity, code: 'pool-paused', title, detail, advice: `tether pools resume ${actor}` },
    ];
  }
  if (threads.length > 0 && threads.every(({ mode }) => mode === 'lost')) {
    return [
      {
        ...about,
        severity: 'critical',
        code: 'pool-without-threads',
        title: `Pool ${actor} has no thread`,
        detail: `${count(lag)} messages wait; ${count(pool.threadsLost)} threads were lost since the start`,
        advice: 'The log of the service says why each of them ended.',
      },
    ];
  }
  if (unstable) {
    return [
      {
        ...about,
        severity: 'critical',
        code: 'pool-unstable',
        title: `Pool ${actor} loses its threads again and again`,
        detail: `${count(pool.threadsLost)} since the start; a message that ends its thread becomes a dead letter after a few`,
        advice: 'Look at the latest dead letters of this actor, and at the log of the service.',
      },
    ];
  }
  if (outage !== null) return ofOutage(status, pool, outage);
  if (lag === 0 || pool.behindMs < BEHIND_MS) return [];
  return [{ ...about, severity: 'warning', code: 'pool-behind', ...limitOf(status, pool) }];
}

function ofOutage({ dependencies }: Observed, { actor, lag }: PoolStatus, outage: string): Finding[] {
  // The dependency's own finding says it.
  if (dependencies.some(({ state }) => state !== 'ok')) return [];
  return [
    {
      severity: 'critical',
      code: 'pool-waits',
      subject: actor,
      title: `Pool ${actor} waits: ${outage}`,
      detail: `${count(lag)} messages wait with it`,
      advice: 'Look up the code in the reference of errors; the pool goes on by itself.',
    },
  ];
}

/** What holds a pool up that is behind, in words: `pool-limit.ts` finds it. */
function limitOf({ dependencies }: Observed, pool: PoolStatus): Pick<Finding, 'title' | 'detail' | 'advice'> {
  const { actor, threads, lag, max, mailboxMax, inFlight, turnMs } = pool;
  const behind = `${count(lag)} messages wait, the next one for about ${ms(pool.behindMs)}`;
  const turn = turnMs === null ? '' : `; one receive takes ${ms(turnMs.p50)} (p95 ${ms(turnMs.p95)})`;
  if (!isStarted(pool)) {
    return {
      title: `Pool ${actor} is behind: none of its threads is there yet`,
      detail: `They are ${[...new Set(threads.map(({ mode }) => mode))].join(' and ')}; ${behind}${turn}`,
      advice:
        'A thread loads its actor and runs its open first; when that takes long, see the log, and how busy the cores are.',
    };
  }
  const limit = poolLimit(pool, dependencies);
  switch (limit.by) {
    case 'key':
      return {
        title: `Pool ${actor} is behind: one key has most of the messages`,
        detail: `${count(mailboxMax)} of ${count(inFlight)} messages in the threads are of one key; ${behind}${turn}`,
        advice: 'More threads do not help one key. See who it is under Actors; a larger batch may help.',
      };
    case 'threads':
      return {
        title: `Pool ${actor} is behind: its threads have no time left`,
        detail: `${threads.length} threads are busy ${share(limit.busy)}; ${behind}${turn}`,
        advice:
          threads.length < max
            ? 'The pool grows by itself up to its maximum.'
            : `Give it more threads (now ${max}) where cores are free, or add a node.`,
      };
    case 'dependency': {
      const name = NAMES[limit.name];
      return {
        title: `Pool ${actor} is behind: it waits for ${name}`,
        detail: `A call takes ${ms(limit.callMs.p50)} (p95 ${ms(limit.callMs.p95)}) of a receive; ${behind}${turn}`,
        advice: `Look at ${name}: its own load, locks, connections. More threads add to its load.`,
      };
    }
    case 'waiting':
      return {
        title: `Pool ${actor} is behind: its actor is slow, and its threads ${limit.busy === null ? 'wait' : `are idle ${share(1 - limit.busy)}`}`,
        detail: `${behind}${turn}`,
        advice: `It waits for something that is not measured here. More threads (now ${threads.length} of ${max}) or a larger batch let more of it go on at once.`,
      };
  }
}

function ofCommits({ log }: Observed): Finding[] {
  const { commitMs } = log;
  if (commitMs === null || commitMs.p99 < SLOW_COMMIT_MS) return [];
  return [
    {
      severity: 'warning',
      code: 'log-slow',
      title: `Writing to the log is slow: ${ms(commitMs.p99)} (p99)`,
      detail: `Half of the group commits take ${ms(commitMs.p50)} or more; every acknowledgement waits for one`,
      advice:
        log.driver === 'journal'
          ? 'Look who else uses the disk; `tether doctor` measures its sync time.'
          : 'Look at the Redis server: its slow log, its disk, the network to it.',
    },
  ];
}

function ofGateway({ main, rates, node, log }: Observed): Finding[] {
  const found: Finding[] = [];
  const { acknowledged, refused, acknowledgeMs } = rates;
  if (main.busy >= BUSY) {
    found.push({
      severity: 'warning',
      code: 'gateway-busy',
      title: `The gateway's thread is busy ${share(main.busy)}`,
      detail: `${count(acknowledged)} acknowledgements per second; its event loop was late by ${ms(main.eventLoopDelayMs)}`,
      advice: 'This node takes about as much as it can. Add a node behind the balancer.',
    });
  }
  if (refused > 0 && refused >= (acknowledged + refused) * REFUSED_SHARE && log.state === 'open') {
    found.push({
      severity: 'warning',
      code: 'refusals',
      title: `${count(refused)} requests per second are refused`,
      detail: `${share(refused / (acknowledged + refused))} of all; ${count(acknowledged)} per second are acknowledged`,
      advice: "tether_gateway_requests_total tells by outcome: wrong signatures and forms are the sender's.",
    });
  }
  if (acknowledgeMs !== null && acknowledgeMs.p95 > ACKNOWLEDGE_P95_MS) {
    found.push({
      severity: 'warning',
      code: 'acknowledge-slow',
      title: `Acknowledgements are slow: ${ms(acknowledgeMs.p95)} (p95)`,
      detail: `The objective is ${ms(ACKNOWLEDGE_P95_MS)}; half take ${ms(acknowledgeMs.p50)} or more`,
      advice: "Look at the log's commit time and at the gateway's thread.",
    });
  }
  if (node.mode === 'draining') {
    found.push({
      severity: 'info',
      code: 'draining',
      title: 'The node drains',
      detail: 'It was told to stop, and finishes what it has',
      advice: 'Another node answers.',
    });
  }
  return found;
}

function ofDeadLetters({ totals }: Observed): Finding[] {
  const waiting = totals.deadLettersWaiting;
  if (waiting === null || waiting === 0) return [];
  return [
    {
      severity: 'warning',
      code: 'dead-letters',
      title: `${count(waiting)} dead ${waiting === 1 ? 'letter waits' : 'letters wait'} for somebody`,
      detail: 'They could not be handled, and are kept with their cause',
      advice: 'Look at their causes under Dead letters, mend them, and replay.',
    },
  ];
}

function ofSettings({ pools }: Observed): Finding[] {
  const differing = pools.filter(({ settings }) => settings.differs).map(({ actor }) => actor);
  if (differing.length === 0) return [];
  return [
    {
      severity: 'info',
      code: 'settings-differ',
      title: `Settings of ${differing.join(', ')} differ from the configuration`,
      detail: 'They were changed while the node ran, and are kept over a restart',
      advice: 'Write them into the configuration, or go back to it (tether pools reset).',
    },
  ];
}

const mib = (bytes: number) => `${count(bytes / 1_048_576)} MiB`;

export { diagnose, type Observed };
