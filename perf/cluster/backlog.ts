/**
 * What a message costs while ten thousand, and while five million others wait on the log: to append it at the end, and to read, handle and
 * commit it at the head.
 *
 * Each backlog has a Redis server, a producer and a worker of its own, and stands all the time: a step lets the worker handle `STEP` messages,
 * and another one has the producer put as many behind the backlog. Nothing runs beside a step. A round is the same number of messages of
 * both backlogs, step by step in turn.
 */
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startRedis } from '../peers/redis.js';
import { packedMessages } from '../peers/redis-content.js';
import { joined, type LogPlace, progressOf, redisCpuSeconds, startProducer, startWorker } from './nodes.js';
import { PARTITIONS, PER_FRAME } from './work.js';

const GROUP = PARTITIONS * PER_FRAME;
/** At least so many messages, in whole groups of frames. */
export const wholeGroups = (messages: number) => Math.ceil(messages / GROUP) * GROUP;
/** The smaller backlog has as many: a step takes all of it. */
export const STEP = wholeGroups(10_000);
/** Of a round. */
export const STEPS = 30;
const WARM_UP_STEPS = 40;

/** Microseconds for a message. */
export interface Cost {
  readonly wallUs: number;
  /** Of the worker or the producer. */
  readonly ownCpuUs: number;
  readonly redisCpuUs: number;
}

export interface BacklogRun {
  readonly handle: Cost;
  readonly append: Cost;
}

export class StandingBacklog {
  readonly messages: number;
  /** Of an envelope, and in Redis of each message with all that belongs to it. */
  readonly envelopeBytes: number;
  readonly redisBytes: number;
  readonly #parts: Parts;
  #appended: number;
  #handled = 0;

  /** @param directory of the Redis server; `onEnd` gets what ends its processes */
  static async start(
    directory: string,
    messages: number,
    onEnd: (stop: () => Promise<unknown> | unknown) => void,
  ): Promise<StandingBacklog> {
    const server = await startRedis(join(directory, `redis-${messages}`));
    onEnd(server.stop);
    const redis = new Redis({ port: server.port, host: '127.0.0.1' });
    onEnd(() => redis.disconnect());
    await redis.config('SET', 'auto-aof-rewrite-percentage', '0');
    const place: LogPlace = { url: `redis://127.0.0.1:${server.port}`, prefix: 'tether', actor: 'counting' };
    const filler = await startProducer(place);
    const emptyBytes = await usedBytes(redis);
    const { bytes } = await filler.produce(messages).finally(filler.stop);
    const redisBytes = ((await usedBytes(redis)) - emptyBytes) / messages;
    // Those that are measured have the same past, whatever the backlog: who appended millions has code that is better compiled.
    const producer = await startProducer(place);
    onEnd(producer.stop);
    const worker = await startWorker(place, 0);
    onEnd(worker.stop);
    await joined([worker]);
    return new StandingBacklog({ redis, place, producer, worker }, messages, bytes / messages, redisBytes);
  }

  private constructor(parts: Parts, messages: number, envelopeBytes: number, redisBytes: number) {
    this.#parts = parts;
    this.#appended = messages;
    this.messages = messages;
    this.envelopeBytes = envelopeBytes;
    this.redisBytes = redisBytes;
  }

  async warmUp(): Promise<void> {
    for (let step = 0; step < WARM_UP_STEPS; step++) await this.step(new Sums(), new Sums());
  }

  async step(handle: Sums, append: Sums): Promise<void> {
    const { redis, producer, worker } = this.#parts;
    const before = await redisCpuSeconds(redis);
    const passed = await worker.tell({ order: 'pass', count: STEP });
    const between = await redisCpuSeconds(redis);
    handle.add(passed.handled - this.#handled, passed, between - before);
    this.#handled = passed.handled;
    const gone = Math.floor((this.messages - (this.#appended - this.#handled)) / GROUP) * GROUP;
    const produced = await producer.produce(gone);
    append.add(gone, produced, (await redisCpuSeconds(redis)) - between);
    this.#appended += gone;
  }

  /** @throws Error (rejects) unless all that was appended is either handled or in Redis */
  async assertNothingLost(): Promise<void> {
    const { redis, place } = this.#parts;
    const { committed, end } = await progressOf(redis, place);
    const inRedis = await packedMessages(redis, `${place.prefix}:*:frames`);
    if (end !== this.#appended || committed !== this.#handled || inRedis < end - committed) {
      const found = { end, committed, inRedis, appended: this.#appended, handled: this.#handled };
      throw new Error(
        `backlog of ${this.messages}: messages are lost or came twice: ${JSON.stringify(found)}`,
      );
    }
  }
}

interface Parts {
  readonly redis: Redis;
  readonly place: LogPlace;
  readonly producer: Awaited<ReturnType<typeof startProducer>>;
  readonly worker: Awaited<ReturnType<typeof startWorker>>;
}

/** Adds up steps. */
class Sums {
  #messages = 0;
  #wall = 0;
  #own = 0;
  #redis = 0;

  add(messages: number, own: { readonly seconds: number; readonly cpuSeconds: number }, redis: number): void {
    this.#messages += messages;
    this.#wall += own.seconds;
    this.#own += own.cpuSeconds;
    this.#redis += redis;
  }

  get cost(): Cost {
    const us = (seconds: number) => (seconds * 1e6) / this.#messages;
    return { wallUs: us(this.#wall), ownCpuUs: us(this.#own), redisCpuUs: us(this.#redis) };
  }
}

/** One round: the runs of both, in their order. */
export async function measureBacklogs(
  small: StandingBacklog,
  large: StandingBacklog,
): Promise<readonly [BacklogRun, BacklogRun]> {
  const sumsOf = (backlog: StandingBacklog) => ({ backlog, handle: new Sums(), append: new Sums() });
  const [first, second] = [sumsOf(small), sumsOf(large)];
  for (let step = 0; step < STEPS; step++) {
    for (const { backlog, handle, append } of [first, second]) await backlog.step(handle, append);
  }
  const runOf = ({ handle, append }: typeof first) => ({ handle: handle.cost, append: append.cost });
  return [runOf(first), runOf(second)];
}

async function usedBytes(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1] ?? Number.NaN);
}
