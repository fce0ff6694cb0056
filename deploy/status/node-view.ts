/**
 * A node as the operators' API shows it. Looks once a second, whoever asks or not, so that what is shown is of one moment, rates have a second
 * to be of, and charts begin full; one look costs well under a millisecond.
 */
import type {
  ActorView,
  ConfigKeyView,
  Finding,
  GatewayMetrics,
  History,
  NodeView,
  PartitionView,
  Status,
} from '../../gateway/index.js';
import type { AgentStats } from '../../runtime/cluster/agent.js';
import type { ClusterView } from '../../runtime/cluster/membership.js';
import type { Dependency } from '../../runtime/measure/dependency-calls.js';
import { LoopMeter } from '../../runtime/measure/loop-meter.js';
import type { SystemMeasures } from '../../runtime/measure/system-meter.js';
import type { PartitionStats } from '../../runtime/pool/actor-stats.js';
import type { SystemStats } from '../../runtime/system-stats.js';
import type { NodeLog } from '../node-log.js';
import { CallWatch } from './call-watch.js';
import { diagnose } from './diagnose.js';
import { StatusHistory } from './history.js';
import { PoolWatch } from './pool-watch.js';
import { Rate, WindowedHistogram } from './windowed.js';

interface WatchedNode {
  readonly name: () => string;
  readonly version: string;
  readonly role: Status['node']['role'];
  readonly promise: string;
  readonly isDraining: () => boolean;
  readonly metrics: Pick<GatewayMetrics, 'totals' | 'acknowledgeCounts'>;
  readonly log: NodeLog;
  readonly system: {
    stats(): SystemStats;
    measures(): SystemMeasures;
    partitions(): readonly PartitionStats[];
  };
  /** As a node that reads partitions sees it. */
  readonly cluster: () => AgentStats | undefined;
  /** As one sees it that reads none. */
  readonly others: () => ClusterView | undefined;
  /** Types that a node without pools shows too while nothing waits for them. */
  readonly actors: readonly string[];
  /** By dependency, `ok` or what is the matter. */
  readonly dependencies: () => readonly Pick<Status['dependencies'][number], 'name' | 'state'>[];
  /** Dead letters that wait; rejects while the store is away. */
  readonly countDeadLetters: () => Promise<number>;
  readonly config: readonly ConfigKeyView[];
  /** Of parts that tell by themselves what is the matter with them. */
  readonly findings?: () => readonly Finding[];
}

const LOOK_MS = 1_000;
/** Between two counts of the dead letters: the store is asked. */
const COUNT_MS = 15_000;
/** After one that failed. */
const COUNT_AGAIN_MS = 3_000;

class WatchedView implements NodeView {
  readonly #node: WatchedNode;
  readonly #startedAt = Date.now();
  readonly #history = new StatusHistory();
  readonly #pools = new Map<string, PoolWatch>();
  /** Of the actors whose partitions other nodes read. */
  readonly #types: Set<string>;
  readonly #rates = {
    acknowledged: new Rate(),
    refused: new Rate(),
    done: new Rate(),
    deadLetters: new Rate(),
  };
  readonly #acknowledge = new WindowedHistogram();
  readonly #commits = new WindowedHistogram();
  readonly #loop = new LoopMeter();
  readonly #calls = new Map<Dependency, CallWatch>();
  #deadLettersWaiting: number | null = null;
  #countedAt = Number.NEGATIVE_INFINITY;
  #counting = false;
  #status: Status;
  readonly #timer: NodeJS.Timeout;

  constructor(node: WatchedNode) {
    this.#node = node;
    this.#types = new Set(node.actors);
    this.#status = this.#look();
    this.#timer = setInterval(() => {
      this.#status = this.#look();
      this.#history.add(this.#status);
    }, LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#loop.stop();
  }

  status(): Status {
    return this.#status;
  }

  history(): History {
    return this.#history.read();
  }

  config(): readonly ConfigKeyView[] {
    return this.#node.config;
  }

  partitions(): readonly PartitionView[] {
    const { system, name, cluster, others, log } = this.#node;
    const owners = (cluster() ?? others())?.owners;
    const ownerOf = (partition: number) => owners?.get(partition) ?? null;
    const seen = others();
    if (seen !== undefined) {
      // No pool runs here that could say it.
      for (const actor of log.log.actors) this.#types.add(actor);
      return [...this.#types].flatMap((actor) =>
        log.log.open(actor).map(({ index, end, committed }) => ({
          actor,
          partition: index,
          lag: end - committed,
          owner: ownerOf(index),
          thread: null,
          mode: 'elsewhere' as const,
        })),
      );
    }
    return system.partitions().map(({ thread, mode, ...partition }) => ({
      ...partition,
      owner: thread === undefined ? ownerOf(partition.partition) : name(),
      thread: thread ?? null,
      mode,
    }));
  }

  actors(): readonly ActorView[] {
    return [...this.#pools.values()].map((pool) => pool.keys());
  }

  #look(): Status {
    const { system, metrics, dependencies, cluster, log, name } = this.#node;
    const at = Date.now();
    const stats = system.stats();
    const measures = system.measures();
    this.#countDeadLetters(at);
    const gateway = metrics.totals();
    const totals = {
      ...gateway,
      done: stats.actors.reduce((sum, { done }) => sum + done, 0),
      deadLettersWritten: stats.deadLettersWritten,
      deadLettersWaiting: this.#deadLettersWaiting,
    };
    const members = cluster();
    const seen = members ?? this.#node.others();
    const observed = {
      at,
      node: this.#about(),
      rates: {
        acknowledged: this.#rates.acknowledged.sample(totals.acknowledged, at),
        refused: this.#rates.refused.sample(totals.refused, at),
        done: this.#rates.done.sample(totals.done, at),
        deadLetters: this.#rates.deadLetters.sample(totals.deadLettersWritten, at),
        acknowledgeMs: this.#acknowledge.sample(metrics.acknowledgeCounts()),
      },
      totals,
      log: this.#log(),
      pools: stats.actors.map((pool) =>
        this.#watch(pool.actor).look(
          pool,
          measures.pools.find(({ actor }) => actor === pool.actor),
          at,
        ),
      ),
      dependencies: dependencies().map(({ name, state }) => ({
        name,
        state,
        ...this.#call(name).look(
          measures.dependencies.find(({ dependency }) => dependency === name),
          at,
        ),
      })),
      cluster:
        seen === undefined
          ? null
          : {
              node: name(),
              nodes: [...seen.nodes],
              gateways: [...seen.gateways],
              owned: members?.owned.length ?? 0,
              partitions: log.log.partitions,
              leasesLost: members?.lost ?? 0,
            },
      main: this.#main(),
    } satisfies Omit<Status, 'findings'>;
    return { ...observed, findings: diagnose(observed, this.#node.findings?.()) };
  }

  #about(): Status['node'] {
    const { name, version, role, promise, isDraining } = this.#node;
    const mode = isDraining() ? 'draining' : 'serving';
    return { name: name(), version, role, mode, startedAt: this.#startedAt, promise };
  }

  #log(): Status['log'] {
    const { log } = this.#node;
    const { bytes, bytesMax } = log.stats();
    const lags = log.log.actors.flatMap((actor) =>
      log.log.open(actor).map(({ end, committed }) => end - committed),
    );
    return {
      driver: log.shared === undefined ? 'journal' : 'redis',
      state: log.log.state,
      lag: log.log.lag(),
      lagMax: Math.max(0, ...lags),
      bytes,
      bytesMax,
      commitMs: this.#commits.sample(log.commitTimes()),
    };
  }

  #main(): Status['main'] {
    const { busy, eventLoopDelayMs, heapBytes } = this.#loop.sample();
    return { busy, eventLoopDelayMs, heapBytes, rssBytes: process.memoryUsage.rss() };
  }

  #call(dependency: Dependency): CallWatch {
    let watch = this.#calls.get(dependency);
    if (watch === undefined) {
      watch = new CallWatch();
      this.#calls.set(dependency, watch);
    }
    return watch;
  }

  #watch(actor: string): PoolWatch {
    let watch = this.#pools.get(actor);
    if (watch === undefined) {
      watch = new PoolWatch(actor);
      this.#pools.set(actor, watch);
    }
    return watch;
  }

  /** One count at a time; none while the store is away. */
  #countDeadLetters(at: number): void {
    if (this.#counting || at - this.#countedAt < COUNT_MS) return;
    this.#counting = true;
    this.#countedAt = at;
    this.#node
      .countDeadLetters()
      .then(
        (count) => {
          this.#deadLettersWaiting = count;
        },
        // It is away, which its own state says; or the schema is yet to come.
        () => {
          this.#deadLettersWaiting = null;
          this.#countedAt += COUNT_AGAIN_MS - COUNT_MS;
        },
      )
      .finally(() => {
        this.#counting = false;
      });
  }
}

export { type WatchedNode, WatchedView };
