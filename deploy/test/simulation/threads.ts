/** The dispatchers of a simulated node, one for each actor type, with their threads: what `ActorSystem`, its pools and its mesh are to a real one. */
import type { ActorDefinition } from '../../../runtime/actor.js';
import { Dispatcher } from '../../../runtime/dispatch/dispatcher.js';
import { MoveCancelledError, MoveTimeoutError } from '../../../runtime/errors.js';
import type { Logger } from '../../../runtime/logger.js';
import type { LogPartition } from '../../../runtime/message-log.js';
import type { DeadLetterWriter } from '../../../runtime/stores/dead-letter-writer.js';
import type { Dice } from './dice.js';
import type { Process } from './process.js';
import { type FromThread, Thread, type ToThread } from './thread.js';

export interface ThreadsOptions {
  readonly process: Process;
  readonly dice: Dice;
  readonly logger: Logger;
  readonly shape: {
    readonly partitions: number;
    readonly actors: readonly string[];
    readonly threads: number;
    readonly inFlightMax: number;
  };
  readonly partitionsOf: (actor: string) => readonly LogPartition[];
  readonly definition: (actor: string, thread: Process) => ActorDefinition;
  readonly deadLetters: DeadLetterWriter;
}

export class SimulatedThreads {
  readonly #options: ThreadsOptions;
  readonly #pools: readonly SimulatedPool[];

  constructor(options: ThreadsOptions) {
    this.#options = options;
    this.#pools = options.shape.actors.map((actor) => new SimulatedPool(actor, options));
  }

  adopt(index: number, epochOf: (actor: string) => number | undefined): void {
    for (const { dispatcher, actor } of this.#pools) dispatcher.adopt(index, epochOf(actor));
  }

  async giveUp(index: number, deadlineMs: number): Promise<void> {
    const outcomes = await Promise.allSettled(
      this.#pools.map(({ dispatcher }) => dispatcher.giveUp(index, deadlineMs)),
    );
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  drop(index: number): void {
    for (const { dispatcher } of this.#pools) dispatcher.drop(index);
  }

  /** Gives what it reads of a partition to another of its threads, as a pool that is resized does. */
  move(index: number): void {
    for (const { dispatcher } of this.#pools) {
      const thread = dispatcher.owners[index];
      if (thread === undefined) continue;
      dispatcher.move(index, (thread + 1) % this.#options.shape.threads).catch((error: unknown) => {
        if (!(error instanceof MoveCancelledError || error instanceof MoveTimeoutError)) throw error;
      });
    }
  }

  /** A thread of each pool ends, and another one takes its place. */
  loseThread(thread: number): void {
    for (const pool of this.#pools) pool.lose(thread);
  }

  /** Messages that threads have. */
  get inFlight(): number {
    return this.#pools.reduce((sum, { dispatcher }) => sum + dispatcher.inFlight, 0);
  }

  /** Of these, those that wait for a retry, or behind one that does: as the threads have said. */
  get parked(): number {
    return this.#pools.reduce((sum, { parked }) => sum + parked, 0);
  }

  get deadLettersPending(): number {
    return this.#options.deadLetters.pending;
  }

  /** Whether partition `index` of every actor type has a thread. */
  reads(index: number): boolean {
    return this.#pools.every(({ dispatcher }) => dispatcher.owners[index] !== undefined);
  }
}

/** A message that was alone in flight at three losses is taken for their cause. */
const LOSSES_MAX = 2;

class SimulatedPool {
  readonly actor: string;
  readonly dispatcher: Dispatcher;
  readonly #options: ThreadsOptions;
  readonly #threads: { readonly process: Process; readonly send: (message: ToThread) => void }[];
  readonly #releases = new Map<number, (done: boolean) => void>();
  /** What each thread has said last of the messages that are parked. */
  readonly #parked = new Map<number, number>();
  #count = 0;
  #losses = 0;

  constructor(actor: string, options: ThreadsOptions) {
    const { process, logger, shape, partitionsOf, deadLetters } = options;
    this.actor = actor;
    this.#options = options;
    this.#threads = Array.from({ length: shape.threads }, (_, thread) => this.#make(thread));
    this.dispatcher = new Dispatcher({
      actor,
      partitions: partitionsOf(actor),
      threads: shape.threads,
      post: (thread, delivery) => this.#threads[thread]?.send(delivery),
      deadLetters,
      clock: process.wall,
      logger,
      ownership: 'none',
      release: async (partition, from) => {
        if (!(await this.#ask(from, 'release', partition)))
          throw new Error('its activations did not come to an end in time');
      },
      discard: async (partition, from) => {
        await this.#ask(from, 'discard', partition);
      },
      onOwned: (partition, owner) => {
        for (const [thread, { send }] of this.#threads.entries())
          send({ type: 'owned', partition, here: thread === owner });
      },
    });
    this.dispatcher.inFlightMax = shape.inFlightMax;
    for (let thread = 0; thread < shape.threads; thread++) this.dispatcher.attach(thread);
  }

  get parked(): number {
    return [...this.#parked.values()].reduce((sum, messages) => sum + Math.abs(messages), 0);
  }

  lose(thread: number): void {
    const { process } = this.#options;
    const before = this.#threads[thread];
    if (before === undefined || before.process.mode === 'dead' || this.#losses++ >= LOSSES_MAX) return;
    before.process.end();
    this.dispatcher.suspend(thread);
    process.monotonic.after(10, () => {
      this.dispatcher.detach(thread);
      this.#parked.delete(thread);
      const next = this.#make(thread);
      this.#threads[thread] = next;
      for (const [partition, owner] of this.dispatcher.owners.entries())
        next.send({ type: 'owned', partition, here: owner === thread });
      process.monotonic.after(40, () => this.dispatcher.attach(thread));
    });
  }

  #make(thread: number) {
    const { process, dice, logger, shape, definition } = this.#options;
    const own = process.thread();
    const toMain = port<FromThread>(process, dice, (news) => this.#heard(thread, news));
    const made = new Thread({
      process: own,
      partitions: shape.partitions,
      definition: definition(this.actor, own),
      random: dice.random,
      logger,
      toMain,
    });
    return { process: own, send: port<ToThread>(own, dice, (message) => made.take(message)) };
  }

  #ask(thread: number, type: 'release' | 'discard', partition: number): Promise<boolean> {
    const id = this.#count++;
    return new Promise((resolve) => {
      this.#releases.set(id, resolve);
      this.#threads[thread]?.send({ type, partition, id });
    });
  }

  #heard(thread: number, news: FromThread): void {
    switch (news.type) {
      case 'done':
        this.dispatcher.finished(thread, news);
        break;
      case 'dead':
        this.dispatcher.gaveUp(thread, news);
        break;
      case 'forgotten':
        this.dispatcher.forgotten(thread, news);
        break;
      case 'parked':
        this.#parked.set(thread, news.messages);
        this.dispatcher.parked(thread, news);
        break;
      case 'released':
        this.#releases.get(news.id)?.(news.done);
        this.#releases.delete(news.id);
    }
  }
}

/** One direction between two threads of a process: in order, each word after a moment. */
function port<Word>(process: Process, dice: Dice, arrived: (word: Word) => void): (word: Word) => void {
  const queue: Word[] = [];
  const next = () => {
    const word = queue.shift();
    if (word !== undefined) arrived(word);
  };
  return (word) => {
    queue.push(word);
    process.pass(dice.between(0, 0.4), next);
  };
}
