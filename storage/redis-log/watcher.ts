/**
 * Hears what other processes append, and how far other readers have come.
 *
 * What is appended is told on a channel by the script that appends it (`lua/append.ts`). A word that is lost, with its connection or in a
 * Cluster that changes, costs a reader at most `POLL_MS`: then each partition's state is asked for.
 */
import type { Clock } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/logger.js';
import { type RedisClient, subscribe } from '../redis/client.js';
import { describe } from './errors.js';
import type { RedisPartition } from './partition.js';

const POLL_MS = 1_000;

export interface WatcherOptions {
  readonly channel: string;
  readonly commands: RedisClient;
  readonly subscriber: RedisClient;
  readonly find: (actor: string, index: number) => RedisPartition | undefined;
  readonly all: () => readonly RedisPartition[];
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Watcher {
  readonly #options: WatcherOptions;
  #mode: 'new' | 'watching' | 'stopped' = 'new';
  #cancel: (() => void) | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  start(): void {
    const { subscriber, channel } = this.#options;
    this.#mode = 'watching';
    subscribe(subscriber, channel, (text) => this.#heard(text));
    this.#poll();
  }

  stop(): void {
    this.#mode = 'stopped';
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #heard(text: string): void {
    for (const word of text.split(' ')) {
      const slash = word.lastIndexOf('/');
      const colon = word.indexOf(':', slash);
      const partition = this.#options.find(word.slice(0, slash), Number(word.slice(slash + 1, colon)));
      partition?.grewTo(Number(word.slice(colon + 1)));
    }
  }

  #poll(): void {
    const { clock, logger } = this.#options;
    this.#cancel = clock.after(POLL_MS, () => {
      this.#cancel = undefined;
      this.askAll()
        .catch((error: unknown) => {
          logger.debug({ reason: describe(error) }, 'the state of the partitions could not be asked for');
        })
        .then(() => {
          if (this.#mode === 'watching') this.#poll();
        });
    });
  }

  /** Asks for the state of every partition. @throws (rejects) what the client throws */
  async askAll(): Promise<void> {
    const { commands, all } = this.#options;
    await Promise.all(all().map((partition) => ask(commands, partition)));
  }
}

async function ask(commands: RedisClient, partition: RedisPartition): Promise<void> {
  const { end: endBefore, epoch: epochBefore, committed: committedBefore } = partition;
  const [end, committed, epoch] = await commands.hmget(partition.keys.state, 'end', 'committed', 'epoch');
  // Whoever reads it knows best how far it has come.
  if (partition.epoch === 0) partition.committed = Math.max(partition.committed, Number(committed ?? 0));
  if (Number(end ?? 0) < endBefore) partition.wentBack(Number(end ?? 0));
  else partition.grewTo(Number(end ?? 0));
  if (epochBefore === 0 || epochBefore !== partition.epoch) return;
  // A reader that has nothing to commit would not find out.
  if (Number(epoch ?? 0) > epochBefore) partition.onLost?.('claimed');
  // It may be on its way, or Redis has lost it in a crash: the next one could be long in coming.
  else if (Number(committed ?? 0) < committedBefore) partition.commitAgain();
}
