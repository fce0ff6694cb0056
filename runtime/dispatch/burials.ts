/**
 * Dead letters of one actor type on their way to the store: a message is done once its letter is stored, and only then (P4). A letter of
 * a partition that is dropped meanwhile is recalled: the next owner decides what becomes of its message.
 */
import type { Clock } from '../clock.js';
import { decodeEnvelope } from '../envelope.js';
import { ThreadCrashError } from '../errors.js';
import { causeOf } from '../failure.js';
import { frameItems } from '../frame.js';
import type { DeadLetter } from '../stores/dead-letter.js';
import type { DeadLetterWriter } from '../stores/dead-letter-writer.js';
import type { Feed } from './feed.js';
import type { Lone } from './route.js';

export interface BurialsOptions {
  readonly deadLetters: DeadLetterWriter;
  readonly clock: Clock;
  /** A letter is stored, and its message done. */
  readonly onStored: (feed: Feed) => void;
}

export class Burials {
  readonly #options: BurialsOptions;

  constructor(options: BurialsOptions) {
    this.#options = options;
  }

  /** Stores a dead letter. Calls `over` when it is stored or recalled. */
  store(feed: Feed, offset: number, letter: Omit<DeadLetter, 'deadAt'>, over: () => void): void {
    const { deadLetters, clock, onStored } = this.#options;
    const { term } = feed;
    const isOver = () => feed.term !== term;
    const settle = () => {
      if (isOver()) {
        over();
        return;
      }
      feed.complete(offset, offset + 1);
      over();
      onStored(feed);
    };
    deadLetters.write({ ...letter, deadAt: clock.now() }, settle, isOver);
  }

  /** Makes a dead letter of a message that no thread lived to give up. */
  async bury({ feed, offset, losses }: Lone): Promise<void> {
    const { term } = feed;
    const frame = (await feed.partition.read(offset, 1))[0];
    if (feed.term !== term) return;
    const item = frame && [...frameItems(frame.body)][offset - frame.offset];
    if (item === undefined) throw new RangeError(`the log has no message at offset ${offset}`);
    const error = new ThreadCrashError(
      `the worker thread ended ${losses} times with this message alone in flight`,
    );
    const envelope = decodeEnvelope(item);
    this.store(feed, offset, { envelope, cause: causeOf(error), attempts: losses }, () => {});
  }
}
