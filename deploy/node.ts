/**
 * A node: runs its parts (`node-parts.ts`) until it is told to stop.
 *
 * Modes: starting -> serving -> draining -> stopped. At the start the gateway serves as soon as it can take messages, and the actors begin when
 * Postgres is there. The drain goes the other way around, so that nothing loses what it stands on.
 */
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicClock, systemClock } from '../runtime/clock.js';
import type { AgentStats } from '../runtime/cluster/agent.js';
import type { ClusterView } from '../runtime/cluster/membership.js';
import { asError } from '../runtime/failure.js';
import type { Logger } from '../runtime/logger.js';
import { ThreadSchedule } from '../runtime/measure/thread-schedule.js';
import { flushSpans } from '../runtime/tracing.js';
import { announcement } from './announce.js';
import { AnswersFirst } from './answers-first.js';
import { Censor } from './censor.js';
import { NodeCluster } from './cluster/node-cluster.js';
import { NodePresence } from './cluster/node-presence.js';
import { type Config, secretsOf } from './config.js';
import { EXIT } from './exit-codes.js';
import type { LeveledLogger } from './log-level.js';
import { createLogger } from './logger.js';
import { type NodeOptions, type NodeParts, openNodeParts, type Running } from './node-parts.js';
import type { Mode } from './settings.js';
import { onHangup, untilToldToStop } from './stop-signal.js';

/** The gateway has waited for the requests that streams into the object store belong to. */
const INTAKE_END_MS = 1_000;

/** Runs a node until SIGINT or SIGTERM, and drains it. Resolves with the exit code. */
export async function runNode(config: Config, { mode }: { readonly mode: Mode }): Promise<number> {
  const censor = new Censor(secretsOf(config));
  const logger = createLogger({ level: config.logLevel, censor: censor.clean });
  const stop = untilToldToStop(logger);
  const node = await Node.start(config, logger, { onSecrets: censor.add, censor: censor.clean });
  const release = onHangup(logger, () => node.reload());
  try {
    process.stdout.write(announcement(config, mode, node));
    const reason = await Promise.race([stop.told, node.failed]);
    logger.info({ reason: reason instanceof Error ? reason.message : reason }, 'the node drains');
    await node.drain();
    await flushSpans(systemClock, logger);
    if (reason instanceof Error) throw reason;
    logger.info({}, 'the node has stopped');
    return EXIT.ok;
  } finally {
    release();
    stop.release();
  }
}

/** A node in this process. */
export class Node implements Running {
  readonly port: number;
  /** Of the Postgres that it writes to; holds a password. */
  readonly databaseUrl: string;
  /** What an acknowledgement is worth, for people. */
  readonly promise: string;
  /** Resolves, with the reason, when the node will never do its work: a migration that was changed, a broken module. */
  readonly failed: Promise<Error>;
  readonly #config: Config;
  readonly #parts: NodeParts;
  readonly #logger: Logger;
  #cluster: NodeCluster | undefined;
  #presence: NodePresence | undefined;
  #answersFirst: AnswersFirst | undefined;
  #isDraining = false;

  private constructor(config: Config, parts: NodeParts, logger: Logger) {
    this.port = parts.gateway.port;
    this.databaseUrl = parts.database.url;
    this.promise = parts.log.promise;
    this.#config = config;
    this.#parts = parts;
    this.#logger = logger;
    this.failed = this.#begin().then(() => new Promise<never>(() => {}), asError);
  }

  static async start(config: Config, logger: LeveledLogger, options: NodeOptions = {}): Promise<Node> {
    let node: Node | undefined;
    const parts = await openNodeParts(config, logger, () => node, options);
    node = new Node(config, parts, logger);
    return node;
  }

  /** Among the nodes of a cluster, and for people. */
  get name(): string {
    return `${hostname()}/${this.#config.host}:${this.port}`;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** How this node stands among others; undefined when it is alone. */
  get cluster(): AgentStats | undefined {
    return this.#cluster?.stats();
  }

  /** Reads the endpoints anew, now. */
  async reload(): Promise<void> {
    await this.#parts.endpoints.reload();
  }

  /** The cluster as a node sees it that reads no partition itself. */
  get others(): ClusterView | undefined {
    return this.#presence?.view();
  }

  /** How long deliveries to actors have been deferred, so that webhooks were answered first. */
  get deferredMs(): number {
    return this.#answersFirst?.deferredMs ?? 0;
  }

  /** Whether its threads measure what they do; for who asks what that costs. */
  measure(on: boolean): void {
    this.#parts.system.measure(on);
  }

  /** Stops taking messages, gives its partitions to other nodes, lets threads finish what they have, and ends every part. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    const {
      gateway,
      uploads,
      archive,
      audit,
      system,
      pools,
      endpoints,
      shares,
      log,
      database,
      view,
      logLevels,
    } = this.#parts;
    const { drainMsMax } = this.#config;
    uploads?.beginNoMore();
    await this.#giveNotice();
    await gateway.drain(drainMsMax);
    this.#answersFirst?.stop();
    await endpoints.stop();
    await uploads?.stop(INTAKE_END_MS);
    await this.#cluster?.leave(drainMsMax);
    await this.#presence?.leave();
    await pools.stop();
    archive.rest();
    await system.drain(drainMsMax);
    shares?.close();
    gateway.close();
    await archive.stop();
    await audit.stop();
    view.stop();
    logLevels.stop();
    await log.log.close();
    await database.stop();
  }

  /**
   * A balancer learns by its next check that this node goes: what it sends until then is served. Whatever it has just connected would be reset
   * when the node stops listening.
   */
  async #giveNotice(): Promise<void> {
    const { role, drainNoticeMs } = this.#config;
    if (role === 'worker' || drainNoticeMs === 0) return;
    this.#logger.info({ drainNoticeMs }, 'the node says that it goes, and serves on');
    this.#parts.gateway.leave();
    await delay(drainNoticeMs);
  }

  /** As soon as Postgres is there. */
  async #begin(): Promise<void> {
    const { database, system, pools, endpoints, handling, uploads, log } = this.#parts;
    endpoints.watch();
    void system.load();
    await database.ready;
    if (this.#isDraining) return;
    this.#parts.audit.begin(this.name);
    void endpoints.follow();
    const saved = await pools.load();
    if (this.#isDraining) return;
    await system.start();
    if (this.#isDraining) return;
    pools.follow(saved);
    const { role, redisUrl } = this.#config;
    if (role !== 'gateway') void handling.start();
    if (role === 'all') this.#answersFirst = this.#putAnswersFirst();
    if (log.shared !== undefined && redisUrl !== undefined && role === 'gateway') {
      const { prefix } = log.shared;
      this.#presence = new NodePresence({ node: this.name, redisUrl, prefix, logger: this.#logger });
    }
    if (log.shared !== undefined && redisUrl !== undefined && role !== 'gateway') {
      this.#cluster = new NodeCluster({
        node: this.name,
        redisUrl,
        databaseUrl: this.databaseUrl,
        log: log.shared,
        system,
        logger: this.#logger,
      });
    }
    uploads?.begin();
    this.#parts.archive.begin(system);
  }

  #putAnswersFirst(): AnswersFirst | undefined {
    const { answersFirstMs: deferMsMax } = this.#config;
    const schedule = deferMsMax === 0 ? undefined : ThreadSchedule.open();
    if (schedule === undefined) return undefined;
    const { system, metrics } = this.#parts;
    return new AnswersFirst({
      gate: system.gate,
      schedule,
      acknowledged: () => metrics.totals().acknowledged,
      deferMsMax,
      clock: monotonicClock,
    });
  }
}
