/**
 * The composition root: builds a node out of its parts and runs it until it is told to stop.
 *
 * Modes: starting -> serving -> draining -> stopped. The order of the start is that of P1: the journal first (with its lock,
 * so that a second start on the same data stops here), then the gateway as soon as it can take messages, and the actors
 * when Postgres is there. The drain goes the other way around, so that nothing loses what it stands on.
 */
import { hostname } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { PaymentSettings } from '../actors/payment/index.js';
import { type Gateway, GatewayMetrics, reasonNotToListen, startGateway } from '../gateway/index.js';
import { ActorSystem } from '../runtime/actor-system.js';
import { systemClock } from '../runtime/clock.js';
import type { AgentStats } from '../runtime/cluster/agent.js';
import type { ClusterView } from '../runtime/cluster/membership.js';
import { asError } from '../runtime/failure.js';
import type { Logger } from '../runtime/logger.js';
import { flushSpans } from '../runtime/tracing.js';
import { makeDirectory } from '../storage/make-directory.js';
import {
  AuditTable,
  createDeadLetterStore,
  createReminderStore,
  PoolSettingsTable,
  postgresSnapshots,
} from '../storage/postgres/index.js';
import { announcement } from './announce.js';
import { type NodeShares, openNodeShares } from './cluster/limit-shares.js';
import { NodeCluster } from './cluster/node-cluster.js';
import { NodePresence } from './cluster/node-presence.js';
import { type Config, type Mode, secretsOf } from './config.js';
import { Database } from './database.js';
import { EXIT } from './exit-codes.js';
import { type LeveledLogger, LogLevelControl } from './log-level.js';
import { createLogger } from './logger.js';
import { type NodeLog, openNodeLog } from './node-log.js';
import { registerNodeMetrics } from './node-metrics.js';
import { NodePools } from './pools.js';
import { databaseState, dependencyStates, readinessOf } from './readiness.js';
import { nodeRoutes } from './routes.js';
import { WatchedView } from './status/node-view.js';
import { untilToldToStop } from './stop-signal.js';
import { NodeUploads, objectSettings } from './uploads.js';
import { version } from './version.js';

const PAYMENT_ACTOR = new URL('../actors/payment/actor.js', import.meta.url).href;
/** The gateway has waited for the requests that streams into the object store belong to. */
const INTAKE_END_MS = 1_000;
const UPLOAD_ACTOR = new URL('../actors/upload/actor.js', import.meta.url).href;

/** Runs a node until SIGINT or SIGTERM, and drains it. Resolves with the exit code. */
export async function runNode(config: Config, { mode }: { readonly mode: Mode }): Promise<number> {
  const logger = createLogger({ level: config.logLevel, secrets: secretsOf(config) });
  const stop = untilToldToStop(logger);
  const node = await Node.start(config, logger);
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
    stop.release();
  }
}

/** A node in this process. */
export class Node {
  readonly port: number;
  /** Of the Postgres that it writes to; holds a password. */
  readonly databaseUrl: string;
  /** What an acknowledgement is worth, for people. */
  readonly promise: string;
  /** Resolves, with the reason, when the node will never do its work: a migration that was changed, a broken module. */
  readonly failed: Promise<Error>;
  readonly #config: Config;
  readonly #parts: Parts;
  readonly #logger: Logger;
  #cluster: NodeCluster | undefined;
  #presence: NodePresence | undefined;
  #isDraining = false;

  private constructor(config: Config, parts: Parts, logger: Logger) {
    this.port = parts.gateway.port;
    this.databaseUrl = parts.database.url;
    this.promise = parts.log.promise;
    this.#config = config;
    this.#parts = parts;
    this.#logger = logger;
    this.failed = this.#begin().then(() => new Promise<never>(() => {}), asError);
  }

  static async start(config: Config, logger: LeveledLogger): Promise<Node> {
    const undo: (() => Promise<void> | void)[] = [];
    try {
      const logLevels = new LogLevelControl(logger, config.logLevel, systemClock);
      undo.push(() => logLevels.stop());
      if (keepsFiles(config)) await makeDirectory(config.dataDir, 0o700);
      const nodeLog = await openNodeLog(config, logger);
      const { log } = nodeLog;
      undo.push(() => log.close());
      // Before a Postgres is made for nothing; whether it still holds, the gateway finds out.
      const refused = config.port === 0 ? undefined : await reasonNotToListen(config.host, config.port);
      if (refused !== undefined) throw refused;
      const database = await Database.open({ url: config.databaseUrl, dataDir: config.dataDir, logger });
      undo.push(() => database.stop());
      const deadLetters = createDeadLetterStore(database.pool);
      const fencing = nodeLog.shared === undefined ? {} : { fencedBy: log.id };
      const shares = openShares(config, nodeLog, logger);
      if (shares !== undefined) undo.push(() => shares.close());
      const system = new ActorSystem({
        log,
        deadLetters,
        reminders: createReminderStore(database.pool),
        snapshots: postgresSnapshots({ databaseUrl: database.url }),
        actors: [
          {
            module: PAYMENT_ACTOR,
            threads: config.threads,
            settings: paymentSettings(config, database.url, fencing),
          },
          {
            module: UPLOAD_ACTOR,
            threads: config.uploads.threads,
            youngHeapMib: 48,
            settings: { databaseUrl: database.url, objects: objectSettings(config), ...fencing },
          },
          ...config.actors.map(({ module }) => ({
            module,
            threads: config.threads,
            settings: { databaseUrl: database.url, ...fencing },
          })),
        ],
        ownership: nodeLog.shared === undefined ? 'all' : 'none',
        hosts: config.role !== 'gateway',
        ...(shares === undefined ? {} : { limitShares: shares.store }),
        retry: config.retry,
        logger,
        logLevel: logLevels.threads,
      });
      const uploads =
        config.role === 'worker'
          ? undefined
          : await NodeUploads.open({
              config,
              databaseUrl: database.url,
              tell: async (id, type) => {
                await system.ref('upload', id).tellDurably({ type });
              },
              logger,
            });
      if (uploads !== undefined) undo.push(() => uploads.stop(0));
      const table = new PoolSettingsTable(database.pool);
      const pools = new NodePools({ system, table, clock: systemClock, logger });
      const audit = new AuditTable(database.pool);
      const metrics = new GatewayMetrics();
      let node: Node | undefined;
      const parts = { log: nodeLog, database, system, pools, shares, uploads };
      const view = new WatchedView({
        name: () => (node === undefined ? hostname() : node.name),
        version: version(),
        role: config.role,
        promise: nodeLog.promise,
        isDraining: () => node?.isDraining ?? false,
        metrics,
        log: nodeLog,
        system,
        cluster: () => node?.cluster,
        others: () => node?.others,
        actors: ['payment', 'upload'],
        dependencies: () => dependencyStates(parts),
        countDeadLetters: () => deadLetters.count(),
        config: config.keys,
      });
      undo.push(() => view.stop());
      registerNodeMetrics(metrics, {
        log: {
          lag: () => log.lag(),
          lagMax: () => view.status().log.lagMax,
          state: () => log.state,
          stats: () => nodeLog.stats(),
          commitTimes: () => nodeLog.commitTimes(),
        },
        main: () => ({ ...view.status().main, heapBytesMax: getHeapStatistics().heap_size_limit }),
        deadLettersWaiting: () => view.status().totals.deadLettersWaiting,
        cluster: () => node?.cluster,
        system,
        events: system.events,
        databaseState: () => databaseState(parts),
        uploads: uploads ?? { mode: 'ready', active: 0 },
      });
      const gateway = await startGateway({
        host: config.host,
        port: config.port,
        endpoints: config.role === 'worker' ? [] : config.endpoints,
        partitions: (actor) => log.open(actor),
        group: (actor) => config.actors.find(({ type }) => type === actor)?.group,
        readiness: () => readinessOf(parts),
        operations: {
          token: config.apiToken,
          ...(uploads === undefined ? {} : { authenticator: uploads.parts.authenticator }),
          version: version(),
          audit,
          view,
          routes: nodeRoutes({
            deadLetters,
            logLevels,
            pool: database.pool,
            system,
            tokens: uploads?.tokens,
            pools,
            audit,
          }),
        },
        ...(uploads === undefined ? {} : { uploads: uploads.parts }),
        trustedProxies: config.trustedProxies,
        proxyProtocol: config.proxyProtocol,
        metrics,
        logger,
        now: Date.now,
      });
      node = new Node(config, { ...parts, gateway, view, logLevels }, logger);
      return node;
    } catch (error) {
      for (const step of undo.reverse()) await step();
      throw error;
    }
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

  /** The cluster as a node sees it that reads no partition itself. */
  get others(): ClusterView | undefined {
    return this.#presence?.view();
  }

  /** Whether its threads measure what they do; for who asks what that costs. */
  measure(on: boolean): void {
    this.#parts.system.measure(on);
  }

  /** Stops taking messages, gives its partitions to other nodes, lets threads finish what they have, and ends every part. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    const { gateway, uploads, system, pools, shares, log, database, view, logLevels } = this.#parts;
    const { drainMsMax } = this.#config;
    await gateway.drain(drainMsMax);
    await uploads?.stop(INTAKE_END_MS);
    await this.#cluster?.leave(drainMsMax);
    await this.#presence?.leave();
    await pools.stop();
    await system.drain(drainMsMax);
    shares?.close();
    gateway.close();
    view.stop();
    logLevels.stop();
    await log.log.close();
    await database.stop();
  }

  /** As soon as Postgres is there. */
  async #begin(): Promise<void> {
    const { database, system, pools, uploads, log } = this.#parts;
    await database.ready;
    const saved = await pools.load();
    if (this.#isDraining) return;
    await system.start();
    if (this.#isDraining) return;
    pools.follow(saved);
    const { role, redisUrl } = this.#config;
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
    uploads?.startSweeping();
  }
}

interface Parts {
  readonly log: NodeLog;
  readonly database: Database;
  readonly system: ActorSystem;
  readonly pools: NodePools;
  /** Undefined when all limits are this node's. */
  readonly shares: NodeShares | undefined;
  /** Undefined when this node takes none. */
  readonly uploads: NodeUploads | undefined;
  readonly gateway: Gateway;
  readonly logLevels: LogLevelControl;
  readonly view: WatchedView;
}

function openShares({ redisUrl, role }: Config, { shared }: NodeLog, logger: Logger): NodeShares | undefined {
  if (shared === undefined || redisUrl === undefined || role === 'gateway') return undefined;
  return openNodeShares(redisUrl, shared.prefix, logger);
}

/** Nodes of a cluster keep nothing on their disks. */
function keepsFiles({ redisUrl, databaseUrl, uploads }: Config): boolean {
  return redisUrl === undefined || databaseUrl === undefined || uploads.s3Url === undefined;
}

function paymentSettings(
  config: Config,
  databaseUrl: string,
  fencing: Pick<PaymentSettings, 'fencedBy'>,
): Partial<PaymentSettings> {
  return {
    databaseUrl,
    ...fencing,
    ...(config.redisUrl === undefined ? {} : { redisUrl: config.redisUrl }),
    blacklistCodes: [...config.chargebackBlacklistCodes],
    idempotencyEntriesMax: config.idempotencyEntriesMax,
  };
}
