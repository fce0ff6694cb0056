/**
 * The message log of many nodes, in Redis Streams: one stream for each partition, any number of processes that append, one that reads.
 *
 * Modes:
 *   open <--> full      Redis nears its memory limit, or has room again
 *   open, full <--> away      no connection, or there is one again
 *   any --close--> closing --what waits is settled--> closed
 *
 * Who reads a partition is decided elsewhere. `claim` makes a process its reader: it raises the partition's epoch, and what the one before
 * it says from then on is refused.
 */
import { LogUnavailableError } from '../../runtime/errors.js';
import type { HistogramCounts } from '../../runtime/measure/histogram.js';
import type { LogState, MessageLog } from '../../runtime/message-log.js';
import type { RedisClient } from '../redis/client.js';
import { Appender } from './appender.js';
import { Committer } from './committer.js';
import { describe, RedisLogError, toLogError } from './errors.js';
import { FrameReader } from './frame-reader.js';
import { LogKeys } from './keys.js';
import { defineScripts, type Scripts } from './lua/index.js';
import type { FilledOptions } from './options.js';
import { type FrameInFlight, type PartitionHost, RedisPartition } from './partition.js';
import { MemoryPressure, type RedisRoom } from './pressure.js';
import { ServerIdentity } from './server-identity.js';
import type { AofSync } from './server-settings.js';
import { Watcher } from './watcher.js';

export interface RedisLogStats {
  readonly state: LogState;
  /** Groups sent, and messages that landed; since the log was opened. */
  readonly commits: number;
  readonly appended: number;
  readonly pendingBytes: number;
  readonly memoryBytes: number;
  /** 0: no limit. */
  readonly memoryBytesMax: number;
  readonly lag: number;
}

export interface RedisLogParts {
  readonly id: string;
  readonly options: FilledOptions;
  readonly commands: RedisClient;
  readonly subscriber: RedisClient;
  /** Actor types that have been opened before. */
  readonly actors: readonly string[];
  readonly aof: AofSync | undefined;
}

export class RedisLog implements MessageLog, PartitionHost {
  readonly id: string;
  /** When Redis syncs its append-only file, as of the start; undefined: it has none. */
  readonly aof: AofSync | undefined;
  readonly #options: FilledOptions;
  readonly #keys: LogKeys;
  readonly #commands: RedisClient;
  readonly #subscriber: RedisClient;
  readonly #scripts: Scripts;
  readonly #appender: Appender;
  readonly #committer: Committer;
  readonly #reader: FrameReader;
  readonly #watcher: Watcher;
  readonly #pressure: MemoryPressure;
  readonly #identity: ServerIdentity;
  readonly #byActor = new Map<string, readonly RedisPartition[]>();
  #mode: 'open' | 'closing' | 'closed' = 'open';
  #room: RedisRoom = 'open';
  /** The latest state that was told. */
  #told: LogState = 'open';
  #closing: Promise<void> | undefined;
  /** Actor types that other nodes cannot know of yet. */
  readonly #unknown = new Set<string>();
  /** Called after each change of state. */
  onStateChange: ((state: LogState) => void) | undefined;

  constructor({ id, options, commands, subscriber, actors, aof }: RedisLogParts) {
    const { clock, logger } = options;
    this.id = id;
    this.aof = aof;
    this.#options = options;
    this.#keys = new LogKeys(options.prefix);
    this.#commands = commands;
    this.#subscriber = subscriber;
    this.#scripts = defineScripts(commands);
    this.#appender = new Appender({
      scripts: this.#scripts,
      channel: this.#keys.appended(id),
      manyAtOnce: options.place.kind !== 'cluster',
      pendingBytesMax: options.pendingBytesMax,
      replicated: options.replicas === 0 ? undefined : () => this.#replicated(),
      state: () => this.state,
      hasRoomToPassOn: () => this.#room !== 'none',
      onLanded: (frames) => this.#landed(frames),
      onFull: () => this.#pressure.refused(),
      atTurnEnd: options.atTurnEnd,
    });
    this.#committer = new Committer({ scripts: this.#scripts, clock, logger });
    this.#reader = new FrameReader({ client: commands, clock, logger });
    this.#watcher = new Watcher({
      channel: this.#keys.appended(id),
      commands,
      subscriber,
      find: (actor, index) => this.#byActor.get(actor)?.[index],
      all: () => [...this.#byActor.values()].flat(),
      clock,
      logger,
    });
    this.#pressure = new MemoryPressure({
      client: commands,
      clock,
      logger,
      onChange: (room) => {
        this.#room = room;
        this.#stateChanged();
      },
    });
    this.#identity = new ServerIdentity({
      client: commands,
      clock,
      logger,
      onDoubt: () => this.#committer.hold(),
      onOther: () => this.#maybeLost(),
      onKnown: () => this.#committer.resume(),
    });
    for (const actor of actors) this.#make(actor);
    commands.on('ready', this.#stateChanged);
    commands.on('close', this.#stateChanged);
  }

  /** What is there by now is known when it resolves. */
  async start(): Promise<void> {
    await this.#identity.start();
    await this.#watcher.askAll();
    this.#watcher.start();
    this.#pressure.start();
  }

  get state(): LogState {
    if (this.#mode !== 'open') return this.#mode;
    if (this.#commands.status !== 'ready') return 'away';
    return this.#room === 'open' ? 'open' : 'full';
  }

  /** In front of every key. */
  get prefix(): string {
    return this.#options.prefix;
  }

  get partitions(): number {
    return this.#options.partitions;
  }

  get actors(): readonly string[] {
    return [...this.#byActor]
      .filter(([, partitions]) => partitions.some(({ end, committed }) => end > committed))
      .map(([actor]) => actor);
  }

  open(actor: string): readonly RedisPartition[] {
    const known = this.#byActor.get(actor);
    if (known !== undefined) return known;
    const made = this.#make(actor);
    void this.#makeKnown(actor);
    return made;
  }

  lag(): number {
    let lag = 0;
    for (const partitions of this.#byActor.values()) {
      for (const { end, committed } of partitions) lag += end - committed;
    }
    return lag;
  }

  /**
   * Makes this process the reader of a partition, which then stands where the one before has left it. Its epoch.
   * @throws LogUnavailableError (rejects); the epoch may have been raised all the same
   */
  async claim(partition: RedisPartition): Promise<number> {
    this.#committer.forget(partition);
    const endBefore = partition.end;
    const [epoch, committed, end] = await this.#scripts
      .claim(partition.keys.state)
      .catch((error: unknown) => {
        throw toLogError(error);
      });
    partition.epoch = epoch;
    partition.committed = committed;
    // News of later appends may have overtaken the answer.
    if (end < endBefore) partition.end = end;
    else partition.reached(end);
    return epoch;
  }

  /**
   * Writes down how far this process has read a partition; it is its reader no more.
   * @throws LogUnavailableError (rejects): what was done since the last time comes again, with its next reader
   */
  async leave(partition: RedisPartition): Promise<void> {
    const { epoch } = partition;
    const isWritten = await this.#committer.write(partition);
    // After a wait that has outlived its lease it may be claimed anew.
    if (partition.epoch === epoch) this.abandon(partition);
    if (!isWritten)
      throw new LogUnavailableError('Redis does not answer: an offset could not be written down');
  }

  /** The same at once: nothing is written down any more. */
  abandon(partition: RedisPartition): void {
    this.#committer.forget(partition);
    partition.epoch = 0;
  }

  /** How long groups took from their way to Redis to its answer, since the log was opened. */
  commitTimes(): HistogramCounts {
    return this.#appender.times.counts();
  }

  stats(): RedisLogStats {
    const { usedBytes, maxBytes } = this.#pressure.memory;
    return {
      state: this.state,
      ...this.#appender.counters,
      memoryBytes: usedBytes,
      memoryBytesMax: maxBytes,
      lag: this.lag(),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#mode = 'closing';
    this.#watcher.stop();
    this.#pressure.stop();
    await this.#appender.drained();
    const written = await this.#committer.flush();
    if (!written)
      this.#options.logger.warn({}, 'offsets could not be written down: messages that are done come again');
    this.#committer.stop();
    this.#identity.stop();
    this.#reader.close();
    this.#mode = 'closed';
    this.#subscriber.disconnect();
    this.#commands.disconnect();
  }

  // Of a partition.

  admit(envelopeBytes: number) {
    return this.#appender.admit(envelopeBytes);
  }

  admitPassedOn(envelopeBytes: number) {
    return this.#appender.admitPassedOn(envelopeBytes);
  }

  touched(partition: RedisPartition): void {
    this.#appender.touched(partition);
  }

  committed(partition: RedisPartition): void {
    this.#committer.committed(partition);
  }

  read(partition: RedisPartition, offset: number, bytesMax: number) {
    return this.#reader.read(partition, offset, bytesMax);
  }

  /** Redis is another than it was: whoever reads begins anew, with what is there. */
  #maybeLost(): void {
    this.#options.logger.warn(
      {},
      'Redis was restarted or replaced: partitions that are read here are claimed anew',
    );
    for (const partition of [...this.#byActor.values()].flat()) {
      this.#committer.forget(partition);
      if (partition.epoch !== 0) partition.onLost?.('went-back');
    }
  }

  #make(actor: string): readonly RedisPartition[] {
    const partitions = Array.from(
      { length: this.#options.partitions },
      (_, index) =>
        new RedisPartition(
          this,
          { actor, index, keys: this.#keys.of(actor, index) },
          { end: 0, committed: 0 },
        ),
    );
    this.#byActor.set(actor, partitions);
    return partitions;
  }

  /** So that nodes that do not have the actor know that there are messages of it. Tried again with each new connection. */
  async #makeKnown(actor: string): Promise<void> {
    this.#unknown.add(actor);
    try {
      await this.#commands.sadd(this.#keys.actors, actor);
      this.#unknown.delete(actor);
    } catch (error) {
      this.#options.logger.debug(
        { actor, reason: describe(error) },
        'an actor is not known to other nodes yet',
      );
    }
  }

  #landed(frames: readonly FrameInFlight[]): void {
    for (const { partition } of frames) partition.onAppended?.();
  }

  async #replicated(): Promise<boolean> {
    const { replicas, replyMsMax } = this.#options;
    // Half of the time, so that Redis answers before the client gives the answer up.
    return (await this.#commands.wait(replicas, Math.floor(replyMsMax / 2))) >= replicas;
  }

  /** A connection is lost again with every try to make one: only what is new is told. */
  readonly #stateChanged = (): void => {
    const { state } = this;
    if (this.#mode !== 'open' || state === this.#told) return;
    if (state === 'away') {
      this.#options.logger.warn({}, 'Redis is away: senders are refused until it is there again');
    } else if (this.#told === 'away') this.#options.logger.info({}, 'Redis is there');
    if (state !== 'away') for (const actor of this.#unknown) void this.#makeKnown(actor);
    this.#told = state;
    this.onStateChange?.(state);
  };
}

/** @throws RedisLogError */
export function assertPartitions(given: number, there: number): void {
  if (given === there) return;
  throw new RedisLogError(`the log in Redis has ${there} partitions of each actor type, not ${given}`);
}
