/**
 * The composition root: builds a node out of its parts and runs it until it is told to stop.
 *
 * Modes: starting -> serving -> draining -> stopped. The order of the start is that of P1: the journal first (with its lock,
 * so that a second start on the same data stops here), then the gateway as soon as it can take messages, and the actors
 * when Postgres is there. The drain goes the other way around, so that nothing loses what it stands on.
 */
import { join } from 'node:path';
import type { PaymentSettings } from '../actors/payment/index.js';
import {
  type Gateway,
  GatewayMetrics,
  type Readiness,
  reasonNotToListen,
  startGateway,
} from '../gateway/index.js';
import { ActorSystem } from '../runtime/actor-system.js';
import { systemClock } from '../runtime/clock.js';
import { asError } from '../runtime/failure.js';
import type { Logger, LogLevel } from '../runtime/logger.js';
import { flushSpans } from '../runtime/tracing.js';
import { type Journal, openJournal } from '../storage/journal/index.js';
import { makeDirectory } from '../storage/make-directory.js';
import { createDeadLetterStore, createReminderStore, postgresSnapshots } from '../storage/postgres/index.js';
import { announcement } from './announce.js';
import { type Config, type Mode, secretsOf } from './config.js';
import { Database, type DatabaseMode } from './database.js';
import { EXIT } from './exit-codes.js';
import { createLogger } from './logger.js';
import { registerNodeMetrics } from './node-metrics.js';
import { untilToldToStop } from './stop-signal.js';
import { NodeUploads, objectSettings } from './uploads.js';

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
  /** Resolves, with the reason, when the node will never do its work: a migration that was changed, a broken module. */
  readonly failed: Promise<Error>;
  readonly #config: Config;
  readonly #parts: Parts;

  private constructor(config: Config, parts: Parts, failed: Promise<Error>) {
    this.port = parts.gateway.port;
    this.databaseUrl = parts.database.url;
    this.failed = failed;
    this.#config = config;
    this.#parts = parts;
  }

  static async start(config: Config, logger: Logger): Promise<Node> {
    const undo: (() => Promise<void> | void)[] = [];
    try {
      await makeDirectory(config.dataDir, 0o700);
      const journal = await openJournal({
        directory: join(config.dataDir, 'journal'),
        partitions: config.partitions,
        segmentBytes: config.journal.segmentBytes,
        bytesMax: config.journal.bytesMax,
        durability: config.durability,
        logger,
      });
      undo.push(() => journal.close());
      // Before a Postgres is made for nothing; whether it still holds, the gateway finds out.
      const refused = config.port === 0 ? undefined : await reasonNotToListen(config.host, config.port);
      if (refused !== undefined) throw refused;
      const database = await Database.open({ url: config.databaseUrl, dataDir: config.dataDir, logger });
      undo.push(() => database.stop());
      const deadLetters = createDeadLetterStore(database.pool);
      const system = new ActorSystem({
        log: journal,
        deadLetters,
        reminders: createReminderStore(database.pool),
        snapshots: postgresSnapshots({ databaseUrl: database.url }),
        actors: [
          { module: PAYMENT_ACTOR, threads: config.threads, settings: paymentSettings(config, database.url) },
          {
            module: UPLOAD_ACTOR,
            threads: config.uploads.threads,
            youngHeapMib: 48,
            settings: { databaseUrl: database.url, objects: objectSettings(config) },
          },
          ...config.actors.map(({ module }) => ({
            module,
            threads: config.threads,
            settings: { databaseUrl: database.url },
          })),
        ],
        retry: config.retry,
        logger,
        logLevel: levelOfThreads(config.logLevel),
      });
      const uploads = new NodeUploads({
        config,
        databaseUrl: database.url,
        tell: async (id, type) => {
          await system.ref('upload', id).tellDurably({ type });
        },
        logger,
      });
      undo.push(() => uploads.stop(0));
      const group = (actor: string) => config.actors.find(({ type }) => type === actor)?.group;
      const metrics = new GatewayMetrics();
      registerNodeMetrics(metrics, {
        journal,
        system,
        events: system.events,
        databaseState: () => databaseState(system, database),
        uploads,
      });
      const gateway = await startGateway({
        host: config.host,
        port: config.port,
        endpoints: config.endpoints,
        partitions: (actor) => journal.open(actor),
        group,
        readiness: () => readinessOf(journal, system, database, uploads),
        operations: {
          token: config.apiToken,
          authenticator: uploads.parts.authenticator,
          tokens: uploads.tokens,
          deadLetters,
          replay: (id) => system.replay(id),
          status: () => ({
            log: journal.stats(),
            actors: system.stats(),
            database: database.mode,
          }),
        },
        uploads: uploads.parts,
        trustedProxies: config.trustedProxies,
        proxyProtocol: config.proxyProtocol,
        metrics,
        logger,
        now: Date.now,
      });
      const failed = database.ready
        .then(() => system.start())
        .then(() => uploads.startSweeping())
        .then(() => new Promise<never>(() => {}), asError);
      return new Node(config, { journal, database, system, uploads, gateway }, failed);
    } catch (error) {
      for (const step of undo.reverse()) await step();
      throw error;
    }
  }

  /** Stops taking messages, lets threads finish what they have, and ends every part. */
  async drain(): Promise<void> {
    const { gateway, uploads, system, journal, database } = this.#parts;
    const { drainMsMax } = this.#config;
    await gateway.drain(drainMsMax);
    await uploads.stop(INTAKE_END_MS);
    await system.drain(drainMsMax);
    gateway.close();
    await journal.close();
    await database.stop();
  }
}

interface Parts {
  readonly journal: Journal;
  readonly database: Database;
  readonly system: ActorSystem;
  readonly uploads: NodeUploads;
  readonly gateway: Gateway;
}

function paymentSettings(config: Config, databaseUrl: string): Partial<PaymentSettings> {
  return {
    databaseUrl,
    blacklistCodes: [...config.chargebackBlacklistCodes],
    idempotencyEntriesMax: config.idempotencyEntriesMax,
  };
}

/** Threads have four levels; the logger itself leaves out what is below its own. */
function levelOfThreads(level: Config['logLevel']): LogLevel {
  if (level === 'trace') return 'debug';
  return level === 'silent' || level === 'fatal' ? 'error' : level;
}

/** `ok` only while nothing that uses it says that it is away. */
function databaseState(system: ActorSystem, database: Database): 'ok' | 'away' | DatabaseMode {
  if (database.mode !== 'ready') return database.mode;
  const away = system.stats().actors.some(({ outage }) => outage === 'TETHER_POSTGRES_UNAVAILABLE');
  return away ? 'away' : 'ok';
}

/**
 * Ready means: a webhook that is sent now is kept, and actors are not failing again and again (supervision has escalated). Postgres
 * and the object store may be away; they are shown, and do not count.
 */
function readinessOf(
  journal: Journal,
  system: ActorSystem,
  database: Database,
  uploads: NodeUploads,
): Readiness {
  const { mode, actors, resting } = system.stats();
  const outages = actors.flatMap(({ actor, outage, broken, threads, unstable }) => [
    ...(outage === undefined ? [] : [`${actor} waits: ${outage}`]),
    ...(broken.length === 0 ? [] : [`${actor} cannot read partitions ${broken.join(', ')}`]),
    ...(threads.every((thread) => thread === 'lost') ? [`${actor} has no thread`] : []),
    ...(unstable ? [`${actor} loses its threads again and again`] : []),
    ...(resting.includes(actor) ? [`${actor} was restarted too often and rests`] : []),
  ]);
  return {
    ready:
      journal.state === 'open' &&
      resting.length === 0 &&
      !actors.some(({ broken, unstable }) => broken.length > 0 || unstable),
    checks: {
      log: journal.state === 'open' ? 'ok' : journal.state,
      actors: outages.length > 0 ? outages.join('; ') : mode === 'running' ? 'ok' : mode,
      database: databaseState(system, database),
      objects: uploads.mode === 'ready' ? 'ok' : uploads.mode,
    },
  };
}
