/**
 * The parts of a node, made of its configuration and tied to one another. What runs them is `node.ts`.
 *
 * The order is that of P1: the log first (with its lock, so that a second start on the same data stops here), then the gateway as soon as it can
 * take messages. What fails on the way takes back what was made before it.
 */
import { hostname } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { type Gateway, GatewayMetrics, reasonNotToListen, startGateway } from '../gateway/index.js';
import { ActorSystem } from '../runtime/actor-system.js';
import { systemClock } from '../runtime/clock.js';
import type { AgentStats } from '../runtime/cluster/agent.js';
import type { ClusterView } from '../runtime/cluster/membership.js';
import type { Logger } from '../runtime/logger.js';
import { makeDirectory } from '../storage/make-directory.js';
import {
  AuditTable,
  createDeadLetterStore,
  createReminderStore,
  EndpointsTable,
  PoolSettingsTable,
  postgresSnapshots,
} from '../storage/postgres/index.js';
import { OWN_TYPES } from './actor-modules.js';
import { type ActorPlace, nodeActors, replaySettings, webhookSettings } from './actor-settings.js';
import { NodeArchive } from './archive.js';
import { censorOf } from './censor.js';
import { CensoredDeadLetters } from './censored-letters.js';
import { type NodeShares, openNodeShares } from './cluster/limit-shares.js';
import { type Config, secretsOf } from './config.js';
import { Database } from './database.js';
import { EndpointHandling } from './endpoints/handling.js';
import { endpointFindings, registerEndpointMetrics } from './endpoints/health.js';
import { NodeEndpoints } from './endpoints/node-endpoints.js';
import { NodeTargets } from './endpoints/node-targets.js';
import { type LeveledLogger, LogLevelControl } from './log-level.js';
import { NodeAudit } from './node-audit.js';
import { type NodeLog, openNodeLog } from './node-log.js';
import { registerNodeMetrics } from './node-metrics.js';
import { NodePools } from './pools.js';
import { databaseState, dependencyStates, readinessOf } from './readiness.js';
import { nodeRoutes } from './routes.js';
import { WatchedView } from './status/node-view.js';
import { NodeUploads } from './uploads.js';
import { version } from './version.js';

interface NodeOptions {
  /** Told of secrets that come while it runs. */
  readonly onSecrets?: (secrets: readonly string[]) => void;
  /** Takes secrets out of a text; also those that it was told of. Default: those of the configuration. */
  readonly censor?: (text: string) => string;
}

/** What its parts ask of a node that runs. */
interface Running {
  readonly name: string;
  readonly isDraining: boolean;
  /** How it stands among others; undefined when it is alone. */
  readonly cluster: AgentStats | undefined;
  /** The cluster as a node sees it that reads no partition itself. */
  readonly others: ClusterView | undefined;
  readonly deferredMs: number;
}

interface NodeParts {
  readonly log: NodeLog;
  readonly database: Database;
  readonly system: ActorSystem;
  readonly pools: NodePools;
  readonly endpoints: NodeEndpoints;
  readonly handling: EndpointHandling;
  /** Undefined when all limits are this node's. */
  readonly shares: NodeShares | undefined;
  /** Undefined when this node takes none. */
  readonly uploads: NodeUploads | undefined;
  readonly archive: NodeArchive;
  readonly audit: NodeAudit;
  readonly gateway: Gateway;
  readonly logLevels: LogLevelControl;
  readonly view: WatchedView;
  readonly metrics: GatewayMetrics;
}

/** Takes back what was made, the last first. */
type Undo = (() => Promise<void> | void)[];

/** @param running the node, once there is one */
async function openNodeParts(
  config: Config,
  logger: LeveledLogger,
  running: () => Running | undefined,
  options: NodeOptions,
): Promise<NodeParts> {
  const undo: Undo = [];
  try {
    return await openParts(config, logger, running, options, undo);
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

async function openParts(
  config: Config,
  logger: LeveledLogger,
  running: () => Running | undefined,
  { onSecrets = () => {}, censor = censorOf(secretsOf(config)) }: NodeOptions,
  undo: Undo,
): Promise<NodeParts> {
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
  const deadLetters = new CensoredDeadLetters(createDeadLetterStore(database.pool), censor);
  const fencing = nodeLog.shared === undefined ? {} : { fencedBy: log.id };
  const place: ActorPlace = { databaseUrl: database.url, ...fencing };
  const shares = openShares(config, nodeLog, logger);
  if (shares !== undefined) undo.push(() => shares.close());
  const system = new ActorSystem({
    log,
    deadLetters,
    reminders: createReminderStore(database.pool),
    snapshots: postgresSnapshots({ databaseUrl: database.url }),
    actors: nodeActors(config, place),
    ownership: nodeLog.shared === undefined ? 'all' : 'none',
    hosts: config.role !== 'gateway',
    ...(shares === undefined ? {} : { limitShares: shares.store }),
    retry: config.retry,
    logger,
    logLevel: logLevels.threads,
  });
  const uploads = await openUploads(config, database, system, logger);
  if (uploads !== undefined) undo.push(() => uploads.stop(0));
  const archive = new NodeArchive(config, database.pool, logger);
  undo.push(() => archive.stop());
  const table = new PoolSettingsTable(database.pool);
  const pools = new NodePools({ system, table, clock: systemClock, logger });
  const audit = new AuditTable(database.pool);
  const nodeAudit = new NodeAudit({
    table: audit,
    keys: config.keys,
    version: version(),
    keepDays: config.auditKeepDays,
    logger,
    now: Date.now,
  });
  undo.push(() => nodeAudit.stop());
  const metrics = new GatewayMetrics();
  const isWorker = config.role === 'worker';
  let gateway: Gateway | undefined;
  const handling = new EndpointHandling(config, {
    system,
    webhook: webhookSettings(config, place),
    forward: place,
    replay: replaySettings(config, place),
    clock: systemClock,
    logger,
  });
  const endpoints = new NodeEndpoints({
    file: config.endpointsFile,
    configured: config,
    reader: config.endpointReader,
    table: new EndpointsTable(database.pool),
    clock: systemClock,
    logger,
    onSecrets,
    serve: async (served, complete) => {
      // Before a message of theirs may come.
      await handling.follow(served);
      if (!isWorker) gateway?.serve(served.endpoints, complete);
    },
  });
  undo.push(() => endpoints.stop());
  const parts = { log: nodeLog, database, system, pools, shares, uploads, archive };
  const view = new WatchedView({
    name: () => running()?.name ?? hostname(),
    version: version(),
    role: config.role,
    promise: nodeLog.promise,
    isDraining: () => running()?.isDraining ?? false,
    metrics,
    log: nodeLog,
    system,
    cluster: () => running()?.cluster,
    others: () => running()?.others,
    actors: [...OWN_TYPES, ...config.actors.map(({ type }) => type)],
    dependencies: () => dependencyStates(parts),
    countDeadLetters: () => deadLetters.count(),
    config: config.keys,
    findings: () => endpointFindings(endpoints),
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
    cluster: () => running()?.cluster,
    deferredMs: () => running()?.deferredMs ?? 0,
    system,
    events: system.events,
    databaseState: () => databaseState(parts),
    uploads: uploads ?? { mode: 'ready', active: 0 },
  });
  registerEndpointMetrics(metrics, endpoints);
  gateway = await startGateway({
    host: config.host,
    port: config.port,
    endpoints: isWorker ? [] : config.endpoints,
    endpointsComplete: isWorker,
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
        payloads: archive.payloads,
        system,
        tokens: uploads?.tokens,
        pools,
        endpoints,
        targets: new NodeTargets(database.pool, () => endpoints.targets()),
        audit,
        logger,
      }),
    },
    ...(uploads === undefined ? {} : { uploads: uploads.parts }),
    trustedProxies: config.trustedProxies,
    proxyProtocol: config.proxyProtocol,
    tls: config.tls,
    connectionsMax: config.connectionsMax,
    metrics,
    logger,
    now: Date.now,
  });
  return { ...parts, audit: nodeAudit, endpoints, handling, gateway, view, logLevels, metrics };
}

function openUploads(
  config: Config,
  database: Database,
  system: ActorSystem,
  logger: Logger,
): Promise<NodeUploads> | undefined {
  if (config.role === 'worker') return undefined;
  return NodeUploads.open({
    config,
    databaseUrl: database.url,
    tell: async (id, type) => {
      await system.ref('upload', id).tellDurably({ type });
    },
    logger,
  });
}

function openShares({ redisUrl, role }: Config, { shared }: NodeLog, logger: Logger): NodeShares | undefined {
  if (shared === undefined || redisUrl === undefined || role === 'gateway') return undefined;
  return openNodeShares(redisUrl, shared.prefix, logger);
}

/** Nodes of a cluster keep nothing on their disks. */
function keepsFiles({ redisUrl, databaseUrl, uploads }: Config): boolean {
  return redisUrl === undefined || databaseUrl === undefined || uploads.s3Url === undefined;
}

export { type NodeOptions, type NodeParts, openNodeParts, type Running };
