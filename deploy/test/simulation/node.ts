/**
 * One node of a simulated cluster, from the start of its process to its end: the real log, leases, agent, dispatchers and kernels, on simulated
 * connections. It is put together as `deploy/cluster/node-cluster.ts` and `runtime/actor-system.ts` do it for real ones.
 */
import { ClusterAgent, type LeaseStore } from '../../../runtime/cluster/agent.js';
import { DEFAULT_POLICY } from '../../../runtime/cluster/policy.js';
import { encodeEnvelope } from '../../../runtime/envelope.js';
import { LogUnavailableError } from '../../../runtime/errors.js';
import type { Logger } from '../../../runtime/logger.js';
import type { AppendWaiter, LogPartition } from '../../../runtime/message-log.js';
import { partitionOf } from '../../../runtime/partition.js';
import { DeadLetterWriter } from '../../../runtime/stores/dead-letter-writer.js';
import type { RedisClient } from '../../../storage/redis/client.js';
import { RedisLeases } from '../../../storage/redis-leases/leases.js';
import { fillOptions } from '../../../storage/redis-log/options.js';
import { RedisLog } from '../../../storage/redis-log/redis-log.js';
import { partitionWork } from '../../cluster/partition-work.js';
import { KINDS, type Kind, simulatedActor } from './actors.js';
import { Dice } from './dice.js';
import type { Link } from './network.js';
import { simulatedPool } from './postgres-pool.js';
import type { PostgresServer } from './postgres-server.js';
import { DEAD_LETTERS } from './postgres-words.js';
import type { Process } from './process.js';
import { simulatedClient } from './redis-client.js';
import type { RedisServer } from './redis-server.js';
import { SimulatedThreads } from './threads.js';

/** What a run draws for all of its nodes. */
export interface Shape {
  readonly partitions: number;
  readonly actors: readonly string[];
  readonly scope: 'key' | 'thread';
  readonly threads: number;
  readonly batchMax: number;
  /** The window of a thread. */
  readonly inFlightMax: number;
  /** Share of batches that are slow, and for how long, milliseconds. */
  readonly slow: { readonly share: number; readonly msMax: number };
}

/** Parts of a node, to be put in place of the real ones to break them on purpose. */
export interface NodeFlaws {
  readonly partition?: (partition: LogPartition) => LogPartition;
  readonly leases?: (leases: LeaseStore) => LeaseStore;
}

export interface NodeOptions {
  readonly name: string;
  readonly incarnation: number;
  readonly process: Process;
  readonly shape: Shape;
  readonly redis: RedisServer;
  readonly toRedis: Link;
  readonly postgres: PostgresServer;
  readonly toPostgres: Link;
  readonly seed: number;
  readonly logger: Logger;
  readonly flaws: NodeFlaws;
  /** It begins with some messages. */
  readonly onBatch: (node: Node) => void;
}

/** A message as a sender gives it. */
export interface Request {
  readonly actor: string;
  readonly key: string;
  readonly dedupe: string;
  readonly kind: Kind;
  readonly number: number;
}

const PREFIX = 't';
const LOG_ID = 'the-log';
const REPLY_MS_MAX = 500;
const RAISE_MS_MAX = 2_000;

export class Node {
  readonly name: string;
  readonly process: Process;
  readonly #options: NodeOptions;
  readonly #dice: Dice;
  #log: RedisLog | undefined;
  #agent: ClusterAgent | undefined;
  #threads: SimulatedThreads | undefined;
  #sequence = 0;

  constructor(options: NodeOptions) {
    this.name = options.name;
    this.process = options.process;
    this.#options = options;
    this.#dice = new Dice(options.seed);
  }

  get agent(): ClusterAgent | undefined {
    return this.#agent;
  }

  get log(): RedisLog | undefined {
    return this.#log;
  }

  get threads(): SimulatedThreads | undefined {
    return this.#threads;
  }

  /** @throws (rejects) when Redis does not answer: the process ends then */
  async start(): Promise<void> {
    const { process, shape, logger, name, incarnation, flaws } = this.#options;
    const commands = this.#client(5_000);
    const subscriber = this.#client(undefined);
    await new Promise((resolve) => commands.once('ready', resolve));
    const log = new RedisLog({
      id: LOG_ID,
      options: fillOptions({
        url: 'redis://simulated',
        prefix: PREFIX,
        partitions: shape.partitions,
        logger,
        clock: process.wall,
        atTurnEnd: process.soon,
      }),
      commands,
      subscriber,
      actors: await commands.smembers(`${PREFIX}:actors`),
      aof: 'always',
    });
    await log.start();
    this.#log = log;
    const pool = this.#pool(4, 30_000);
    const threads = new SimulatedThreads({
      process,
      dice: this.#dice,
      logger,
      shape,
      partitionsOf: (actor) => log.open(actor).map((partition) => flaws.partition?.(partition) ?? partition),
      definition: (type, thread) =>
        simulatedActor({
          type,
          scope: shape.scope,
          batchMax: shape.batchMax,
          slow: shape.slow,
          onBatch: () => this.#options.onBatch(this),
          log: LOG_ID,
          node: `${name}/${incarnation}`,
          pool: this.#pool(2, 30_000, thread),
          process: thread,
          dice: this.#dice,
        }),
      deadLetters: new DeadLetterWriter(
        {
          put: async (letters) => {
            await pool.query(DEAD_LETTERS, [letters.map(({ envelope }) => envelope.dedupe)]);
          },
        },
        process.wall,
        logger,
        this.#dice.random,
      ),
    });
    this.#threads = threads;
    const leases = new RedisLeases({
      client: this.#client(REPLY_MS_MAX),
      subscriber: this.#client(undefined),
      prefix: PREFIX,
      holder: `${name}/${incarnation}`,
      ttlMs: DEFAULT_POLICY.ttlMs,
    });
    const agent = new ClusterAgent({
      node: name,
      incarnation: String(incarnation),
      partitions: shape.partitions,
      leases: flaws.leases?.(leases) ?? leases,
      work: partitionWork({
        log,
        pool: this.#pool(4, RAISE_MS_MAX),
        system: threads,
        actors: shape.actors,
      }),
      clock: process.monotonic,
      logger,
    });
    this.#agent = agent;
    for (const actor of shape.actors) {
      for (const partition of log.open(actor)) partition.onLost = () => agent.lost(partition.index);
    }
    agent.start();
  }

  /** Puts a message on the log; refused at once while the node starts. */
  accept({ actor, key, dedupe, kind, number }: Request, waiter: AppendWaiter): void {
    const { shape, flaws, process, name, incarnation } = this.#options;
    const index = partitionOf(key, shape.partitions);
    const partition = this.#log?.open(actor)[index];
    if (partition === undefined) {
      waiter.appendFailed(new LogUnavailableError('the node starts'));
      return;
    }
    const envelope = {
      id: `${name}.${incarnation}.${this.#sequence++}`,
      actor,
      key,
      dedupe,
      receivedAt: process.wall.now(),
      traceparent: '',
      payload: Uint8Array.of(KINDS[kind], index, number),
    };
    (flaws.partition?.(partition) ?? partition).append(encodeEnvelope(envelope), waiter);
  }

  /** As an orderly end does: partitions go to others, then the process ends. */
  async leave(): Promise<void> {
    await this.#agent?.leave(5_000);
    await this.#log?.close();
  }

  #client(replyMsMax: number | undefined): RedisClient {
    const { process, redis, toRedis } = this.#options;
    return simulatedClient({ process, server: redis, link: toRedis, replyMsMax });
  }

  #pool(connectionsMax: number, statementMsMax: number, process = this.process) {
    const { postgres, toPostgres } = this.#options;
    return simulatedPool({ process, server: postgres, link: toPostgres, connectionsMax, statementMsMax });
  }
}
