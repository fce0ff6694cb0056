/** A dispatcher on a log in memory with simulated threads, for tests: `inbox` holds what each has and has not answered. */
import { ManualClock } from '../clock.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import type { DispatcherOptions } from '../dispatch/options.js';
import { decodeEnvelope, encodeEnvelope } from '../envelope.js';
import { frameItems } from '../frame.js';
import { silentLogger } from '../logger.js';
import type { DeadLetter } from '../stores/dead-letter.js';
import { DeadLetterWriter } from '../stores/dead-letter-writer.js';
import type { Dead, Deliver } from '../worker-protocol.js';
import { MemoryLog } from './memory-log.js';

export interface Sent {
  readonly partition: number;
  readonly offset: number;
  readonly bytes: number;
  readonly id: string;
}

export interface DispatchOptions extends Partial<DispatcherOptions> {
  /** Dead letters are stored when it resolves. */
  readonly storing?: () => Promise<void>;
  /** Called before a message is put into the inbox of `thread`. */
  readonly onSent?: (thread: number, sent: Sent) => void;
}

export function dispatch(partitions: number, threads: number, options: DispatchOptions = {}) {
  const { storing = async () => {}, onSent = () => {}, ...rest } = options;
  const log = new MemoryLog(partitions);
  const opened = log.open('test');
  const clock = new ManualClock();
  const stored: DeadLetter[] = [];
  const sink = {
    put: async (letters: readonly DeadLetter[]) => {
      await storing();
      stored.push(...letters);
    },
  };
  const inbox: Sent[][] = Array.from({ length: threads }, () => []);
  const dispatcher = new Dispatcher({
    actor: 'test',
    partitions: opened,
    threads,
    post(thread, { slices, body }: Deliver) {
      const items = frameItems(body);
      inbox[thread] ??= [];
      const queue = inbox[thread];
      for (let at = 0; at < slices.length; at += 3) {
        const [partition, first, count] = slices.slice(at, at + 3) as [number, number, number];
        for (let offset = first; offset < first + count; offset++) {
          const item = items.next().value as Uint8Array;
          const sent = { partition, offset, bytes: item.length + 4, id: decodeEnvelope(item).id };
          onSent(thread, sent);
          queue.push(sent);
        }
      }
      if (!items.next().done) throw new Error('a delivery with more envelopes than its slices say');
    },
    deadLetters: new DeadLetterWriter(sink, clock, silentLogger),
    clock,
    logger: silentLogger,
    ...rest,
  });
  const append = (partition: number, id: string) =>
    new Promise<number>((resolve, reject) => {
      opened[partition]?.append(encodeEnvelope(envelopeOf(id)), { appended: resolve, appendFailed: reject });
    });
  const answer = (thread: number, sent: readonly Sent[]) => {
    const ranges = sent.flatMap(({ partition, offset }) => [partition, offset, offset + 1]);
    const bytes = sent.reduce((sum, { bytes }) => sum + bytes, 0);
    dispatcher.finished(thread, { type: 'done', ranges, count: sent.length, bytes, live: 1 });
  };
  return { log, opened, dispatcher, inbox, append, answer, stored, clock };
}

const envelopeOf = (id: string) => ({
  id,
  actor: 'test',
  key: id,
  dedupe: id,
  receivedAt: 0,
  traceparent: '',
  payload: Buffer.from(id),
});

/** What a thread says when it gives a message up. */
export function letterOf({ partition, offset, bytes, id }: Sent): Dead {
  const cause = { code: 'X', message: '', stack: '' };
  return { type: 'dead', partition, offset, bytes, envelope: envelopeOf(id), cause, attempts: 1 };
}

export const turn = () => new Promise((resolve) => setImmediate(resolve));
