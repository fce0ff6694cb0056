/**
 * Group commit over the network: what arrives while appends are on their way to Redis forms the next group, one frame for each partition.
 * On the idle path there is no timer: a group leaves at the end of the turn of the event loop in which its first message came.
 *
 * An append whose answer does not come may be on the log all the same. It fails, the sender sends again, and the effect is one (P3).
 */
import { LogClosedError, LogFullError, LogUnavailableError } from '../../runtime/errors.js';
import { FRAME_ITEM_OVERHEAD } from '../../runtime/frame.js';
import { Histogram } from '../../runtime/measure/histogram.js';
import type { LogState } from '../../runtime/message-log.js';
import { describe } from './errors.js';
import type { Scripts } from './lua/index.js';
import type { AppendFailure, FrameInFlight, RedisPartition } from './partition.js';

/** On their way at once: while Redis works on one, the next is in its socket. */
const GROUPS_MAX = 2;
/** Of one group; a longer backlog is split, so that no answer waits for all of it. */
const GROUP_BYTES_MAX = 4 * 1024 * 1024;
/** Redis refuses a string of more than 512 MiB; far below that, one message must not hold up the others. */
const ENVELOPE_BYTES_MAX = 32 * 1024 * 1024;

export interface AppenderOptions {
  readonly scripts: Pick<Scripts, 'append'>;
  /** On which appends are told. */
  readonly channel: string;
  /** Whether one script call may have partitions of several slots. */
  readonly manyAtOnce: boolean;
  readonly pendingBytesMax: number;
  /** Whether enough replicas have what was sent before it. Asked right behind a group, on the same connection. */
  readonly replicated: (() => Promise<boolean>) | undefined;
  /** `open` takes appends; `full` takes those that pass on, while it has room for them. */
  readonly state: () => LogState;
  readonly hasRoomToPassOn: () => boolean;
  /** Frames are on the log, and their waiters told. */
  readonly onLanded: (frames: readonly FrameInFlight[]) => void;
  /** Redis says that it is at its memory limit. */
  readonly onFull: () => void;
  /** Calls `action` at the end of this turn of the event loop. */
  readonly atTurnEnd: (action: () => void) => void;
}

export class Appender {
  /** Of groups that landed, from their way to Redis to its answer. */
  readonly times = new Histogram();
  readonly #options: AppenderOptions;
  /** Made once: under pressure each refusal would cost a stack trace. */
  readonly #tooMuch: LogFullError;
  readonly #tooLong = new LogFullError(`an envelope is longer than ${ENVELOPE_BYTES_MAX} bytes`);
  readonly #full = new LogFullError('Redis is near its memory limit');
  readonly #away = new LogUnavailableError('Redis cannot be reached');
  readonly #closed = new LogClosedError('the log is closed');
  readonly #touched: RedisPartition[] = [];
  #bytes = 0;
  #groups = 0;
  #armed = false;
  #idle: (() => void) | undefined;
  #appended = 0;
  #commits = 0;

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#tooMuch = new LogFullError(`${options.pendingBytesMax} bytes wait for Redis, no more are taken`);
  }

  /** Since the log was opened. */
  get counters(): { readonly appended: number; readonly commits: number; readonly pendingBytes: number } {
    return { appended: this.#appended, commits: this.#commits, pendingBytes: this.#bytes };
  }

  admit(envelopeBytes: number): AppendFailure | undefined {
    return this.#refusal() ?? this.#count(envelopeBytes);
  }

  admitPassedOn(envelopeBytes: number): AppendFailure | undefined {
    const refusal = this.#refusal();
    if (refusal === this.#full && this.#options.hasRoomToPassOn()) return this.#count(envelopeBytes);
    return refusal ?? this.#count(envelopeBytes);
  }

  #count(envelopeBytes: number): LogFullError | undefined {
    if (envelopeBytes > ENVELOPE_BYTES_MAX) return this.#tooLong;
    const bytes = this.#bytes + envelopeBytes + FRAME_ITEM_OVERHEAD;
    if (bytes > this.#options.pendingBytesMax) return this.#tooMuch;
    this.#bytes = bytes;
    return undefined;
  }

  touched(partition: RedisPartition): void {
    this.#touched.push(partition);
    this.#kick();
  }

  /** Why nothing is taken now. */
  #refusal(): AppendFailure | undefined {
    switch (this.#options.state()) {
      case 'open':
        return undefined;
      case 'full':
        return this.#full;
      case 'away':
        return this.#away;
      default:
        return this.#closed;
    }
  }

  /** Sends what waits, at the end of this turn of the event loop. */
  #kick(): void {
    if (this.#armed || this.#touched.length === 0 || this.#groups >= GROUPS_MAX) return;
    this.#armed = true;
    this.#options.atTurnEnd(this.#turnEnds);
  }

  readonly #turnEnds = (): void => {
    this.#armed = false;
    this.#send();
  };

  /** When nothing waits and nothing is on its way. Without a connection what waits fails as it is sent. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve;
      this.#told();
    });
  }

  #told(): void {
    if (this.#groups === 0 && this.#touched.length === 0) this.#idle?.();
  }

  #send(): void {
    const frames: FrameInFlight[] = [];
    let bytes = 0;
    while (this.#touched.length > 0 && (frames.length === 0 || bytes < GROUP_BYTES_MAX)) {
      const partition = this.#touched.shift();
      if (partition === undefined) break;
      const frame = partition.take();
      bytes += frame.body.length;
      frames.push(frame);
    }
    if (frames.length === 0) return;
    this.#groups++;
    this.#commits++;
    const calls = this.#options.manyAtOnce ? [frames] : frames.map((frame) => [frame]);
    void Promise.all(calls.map((call) => this.#call(call))).then(() => {
      this.#groups--;
      this.#kick();
      this.#told();
    });
    this.#kick();
  }

  async #call(frames: readonly FrameInFlight[]): Promise<void> {
    const begunAt = performance.now();
    const keys = frames.flatMap(({ partition: { keys } }) => [keys.state, keys.frames]);
    const values = frames.flatMap(({ count, body }) => [count, body]);
    let firsts: readonly number[] | undefined;
    let failure: AppendFailure = this.#away;
    try {
      const appended = this.#options.scripts.append(this.#options.channel, keys, values);
      const replicated = this.#options.replicated?.() ?? true;
      // Both fail when the connection does.
      const [landed, copied] = await Promise.all([appended, replicated]);
      firsts = landed;
      if (!copied) {
        // It is on the log all the same, and to be read: news of it would say nothing new to its reader.
        for (const [at, frame] of frames.entries()) frame.partition.grewTo((firsts[at] ?? 0) + frame.count);
        firsts = undefined;
        failure = new LogUnavailableError('too few replicas of Redis have the message');
      }
    } catch (error) {
      firsts = undefined;
      failure = this.#failureOf(error);
    }
    for (const frame of frames) this.#bytes -= frame.body.length;
    if (firsts === undefined) {
      for (const { waiters } of frames) for (const waiter of waiters) waiter.appendFailed(failure);
      return;
    }
    this.times.observe(performance.now() - begunAt);
    for (const [at, frame] of frames.entries()) this.#land(frame, firsts[at] ?? Number.NaN);
    this.#options.onLanded(frames);
  }

  #land({ partition, count, body, waiters, endBefore }: FrameInFlight, first: number): void {
    // A frame of the average is weighed like eight new ones.
    partition.frameBytes += (body.length - partition.frameBytes) / 8;
    this.#appended += count;
    if (first < endBefore) partition.wentBack(first + count);
    else partition.reached(first + count);
    for (const [at, waiter] of waiters.entries()) waiter.appended(first + at);
  }

  #failureOf(error: unknown): AppendFailure {
    const message = describe(error);
    if (/\bOOM\b/.test(message)) {
      this.#options.onFull();
      return this.#full;
    }
    return new LogUnavailableError(`Redis did not take a message: ${message}`);
  }
}
