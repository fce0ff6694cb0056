/**
 * What `tether tune` measures: one step of load, what the load saw of it, and what the node said of itself meanwhile. Times are
 * milliseconds, rates per second, busy times shares of 1. Null: not known, or nothing happened.
 */
import type { Percentiles, PoolSettings, Status } from '../../gateway/api/status-schema.js';

/** What the sender saw of a step. */
interface LoadSeen {
  /** Asked for. */
  readonly rate: number;
  readonly seconds: number;
  readonly connections: number;
  readonly sent: number;
  readonly acknowledged: number;
  /** Attempts that were not acknowledged, those too that a retry mended. */
  readonly failures: number;
  /** Of what was given up, by outcome. */
  readonly rejected: Readonly<Record<string, number>>;
  /** From the moment when each was due. */
  readonly latencyMs: Percentiles;
  /** The sender's own thread. */
  readonly busy: number;
  /** All cores of the machine, whoever uses them. Null: the node has another machine. */
  readonly machineBusy: number | null;
}

/** One pool in a step. */
interface PoolSeen {
  readonly actor: string;
  readonly threads: number;
  readonly busy: number | null;
  readonly donePerSecond: number | null;
  readonly lag: number;
  /** Of what was acknowledged in the step, what was not done either: 0 when it keeps up. Null: not known. */
  readonly growth: number | null;
  readonly inFlight: number;
  readonly mailboxMax: number;
  /** Activations alive. */
  readonly live: number;
  readonly turnMs: Percentiles;
  readonly settings: PoolSettings;
}

/** What the node said during a step. */
interface NodeSeen {
  readonly gatewayBusy: number | null;
  readonly eventLoopDelayMs: number | null;
  /** In the node: from the request to its answer. */
  readonly acknowledgeMs: Percentiles;
  readonly commitMs: Percentiles;
  readonly logState: string;
  readonly dependencies: readonly Pick<
    Status['dependencies'][number],
    'name' | 'state' | 'callMs' | 'callsPerSecond'
  >[];
  /** Null: the messages go to no pool of this node. */
  readonly pool: PoolSeen | null;
}

/**
 * How a step ended, the first that fits: `refused`, more than a share was not acknowledged at once; `behind`, the pool did less than came;
 * `short`, the rate was not reached; `slow`, the p99 was over the limit; `held`.
 */
type Verdict = 'held' | 'refused' | 'behind' | 'short' | 'slow';

interface Step {
  readonly load: LoadSeen;
  /** Null: the node said nothing in the step. */
  readonly node: NodeSeen | null;
  readonly verdict: Verdict;
}

/** What a setting of the pool may be. */
type Allowed = Readonly<Record<keyof PoolSettings, { readonly min: number; readonly max: number }>>;

interface Measurements {
  readonly steps: readonly Step[];
  readonly log: {
    readonly driver: 'journal' | 'redis';
    readonly durability: 'memory' | 'commit' | 'replicated' | null;
  };
  /** Of the machine that the load and the node share; null: the node has another one. */
  readonly cores: number | null;
  /** Null: there is no pool, or it may not be asked. */
  readonly allowed: Allowed | null;
}

/** Of attempts; more is a node that refuses. */
const REFUSED_SHARE = 0.01;
/** Of the rate; less is a rate that was not reached. */
const REACHED_SHARE = 0.9;
/** Of what came; more is a pool that falls behind. */
const GROWTH_SHARE = 0.15;
/** What waits at the end, as time of the rate: less is what is under way anyway. */
const BEHIND_S = 0.25;

function verdictOf({ load, node }: Pick<Step, 'load' | 'node'>, p99MsMax: number): Verdict {
  const attempts = load.acknowledged + load.failures;
  if (attempts === 0 || load.failures > attempts * REFUSED_SHARE) return 'refused';
  const perSecond = load.acknowledged / load.seconds;
  const pool = node?.pool;
  if (pool && (pool.growth ?? 0) > GROWTH_SHARE && pool.lag > perSecond * BEHIND_S) return 'behind';
  if (perSecond < load.rate * REACHED_SHARE) return 'short';
  return load.latencyMs !== null && load.latencyMs.p99 > p99MsMax ? 'slow' : 'held';
}

export {
  type Allowed,
  type LoadSeen,
  type Measurements,
  type NodeSeen,
  type PoolSeen,
  type Step,
  type Verdict,
  verdictOf,
};
