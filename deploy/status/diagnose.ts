/**
 * What is the matter with a node and what limits it, in words for whoever is on call: the worst first.
 *
 * A cause stands before what comes of it: where Postgres is away, that a pool falls behind is no news. So the rules of one level are asked in
 * their order, and a pool has one finding about its work, from the table in `limitOf`.
 */
import type { Finding, Percentiles, PoolStatus, Status } from '../../gateway/api/status-schema.js';

type Observed = Omit<Status, 'findings'>;

/** A message that waits so long for an actor is behind. */
const BEHIND_MS = 2_000;
/** The objectives of the service: `docs/how-to/alerts.md`. */
const ACKNOWLEDGE_P95_MS = 100;
const REFUSED_SHARE = 0.01;
const BUSY = 0.85;
const SLOW_COMMIT_MS = 50;
/** Of what a pool has in its threads, behind one key. */
const HOT_SHARE = 0.5;
const HOT_MESSAGES = 64;
/** Calls to a dependency that take this share of a turn are what it waits for. */
const CALL_SHARE = 0.5;

const RANK = { critical: 0, warning: 1, info: 2 } as const;

function diagnose(status: Observed): Finding[] {
  const found = [
    ...ofLog(status),
    ...ofDependencies(status),
    ...ofCluster(status),
    ...status.pools.flatMap((pool) => ofPool(status, pool)),
    ...ofCommits(status),
    ...ofGateway(status),
    ...ofDeadLetters(status),
    ...ofSettings(status),
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
        detail: `${mib(bytes)}${bytesMax === null ? '' : ` of ${mib(bytesMax)}`} are used, ${count(log.lag)} messages wait`,
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

/** What holds a pool up that is behind. */
function limitOf(status: Observed, pool: PoolStatus): Pick<Finding, 'title' | 'detail' | 'advice'> {
  const { actor, threads, lag, max, mailboxMax, inFlight, turnMs } = pool;
  const busy = average(threads.map(({ busy }) => busy));
  const behind = `${count(lag)} messages wait, the next one for about ${ms(pool.behindMs)}`;
  const turn = turnMs === null ? '' : `; one receive takes ${ms(turnMs.p50)} (p95 ${ms(turnMs.p95)})`;
  if (mailboxMax >= HOT_MESSAGES && mailboxMax >= inFlight * HOT_SHARE) {
    return {
      title: `Pool ${actor} is behind: one key has most of the messages`,
      detail: `${count(mailboxMax)} of ${count(inFlight)} messages in the threads are of one key; ${behind}${turn}`,
      advice: 'More threads do not help one key. See who it is under Actors; a larger batch may help.',
    };
  }
  if (busy !== null && busy >= BUSY) {
    return {
      title: `Pool ${actor} is behind: its threads have no time left`,
      detail: `${threads.length} threads are busy ${share(busy)}; ${behind}${turn}`,
      advice:
        threads.length < max
          ? 'The pool grows by itself up to its maximum.'
          : `Give it more threads (now ${max}) where cores are free, or add a node.`,
    };
  }
  const slow = slowCall(status, turnMs);
  if (slow !== undefined) {
    return {
      title: `Pool ${actor} is behind: it waits for ${slow.name}`,
      detail: `A call takes ${ms(slow.p50)} (p95 ${ms(slow.p95)}) of a receive; ${behind}${turn}`,
      advice: `Look at ${slow.name}: its own load, locks, connections. More threads add to its load.`,
    };
  }
  return {
    title: `Pool ${actor} is behind: its actor is slow, and its threads ${busy === null ? 'wait' : `are idle ${share(1 - busy)}`}`,
    detail: `${behind}${turn}`,
    advice: `It waits for something that is not measured here. More threads (now ${threads.length} of ${max}) or a larger batch let more of it go on at once.`,
  };
}

function slowCall({ dependencies }: Observed, turnMs: Percentiles) {
  if (turnMs === null) return undefined;
  const slow = dependencies
    .flatMap(({ name, callMs }) => (callMs === null ? [] : [{ name: NAMES[name], ...callMs }]))
    .filter(({ p50 }) => p50 >= turnMs.p50 * CALL_SHARE)
    .sort((a, b) => b.p50 - a.p50);
  return slow[0];
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

function average(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

const count = (value: number) => Math.round(value).toLocaleString('en');
const share = (value: number) => `${Math.round(value * 100)} %`;
const mib = (bytes: number) => `${count(bytes / 1_048_576)} MiB`;

function ms(value: number): string {
  if (value >= 1_000) return `${(value / 1_000).toFixed(value >= 10_000 ? 0 : 1)} s`;
  return `${value >= 10 ? Math.round(value) : value.toFixed(1)} ms`;
}

export { diagnose, type Observed };
