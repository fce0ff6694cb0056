/**
 * Many dead letters back on the log.
 *
 * - Order: the letters of a key go back in the order in which they were acknowledged, each after the one before it is on
 *   the log (P2). Keys go side by side. Of what could not be decoded nobody knows the key: there a partition takes a key's place.
 * - Crash: a letter is marked after it is on the log. What was put there and not marked waits still, comes twice, and has its effect
 *   once (P3); whoever asks again goes on where the crash was.
 * - Bounds: a batch at a time is in memory, with one append under way for each key. A call takes 100,000 letters, runs until its
 *   deadline, and says how many are left.
 * - The log is full or away: nothing more is put there, and what waits goes on waiting.
 *
 * Rejected: all of a key at once. A log may refuse a long message and take the short one behind it. Measured: 10,000 letters of 300 keys
 * take 0.9 s, and 9 s when all are of one key, a commit of the log for each.
 */
import type { Clock } from './clock.js';
import { LogClosedError, LogFullError, OutageError, ReplayBusyError } from './errors.js';
import { asError, causeOf } from './failure.js';
import type { MessageLog } from './message-log.js';
import { putBack, replayDeadLetter } from './replay.js';
import type {
  DeadLetterMark,
  DeadLetterSelection,
  DeadLetterStore,
  StoredDeadLetter,
} from './stores/dead-letter.js';
import { undecodablePartition, undecodablePlace } from './undecodable.js';

export interface ReplayManyParts {
  readonly store: Pick<DeadLetterStore, 'choose' | 'get' | 'getMany' | 'settle'>;
  readonly log: MessageLog;
  /** As of `ReplayParts`. */
  readonly group: (actor: string, key: string) => string;
  readonly clock: Clock;
}

export interface ReplayManyResult {
  /** On the log again. */
  readonly replayed: number;
  /** That have no place on the log any more; they wait on. */
  readonly failed: number;
  /** The first 100 of them. */
  readonly failures: readonly { readonly id: string; readonly reason: string }[];
  /** Not tried; when there are more than 100,000, at least so many. */
  readonly left: number;
  /** Why there are some left: `deadline`, or the code of what the log or the store said. */
  readonly stopped: string | undefined;
}

const LETTERS_MAX = 100_000;
const BATCH_LETTERS = 500;
const FAILURES_MAX = 100;

/** Replays of one letter, and of many. Of many one at a time: two would put letters of one key on the log side by side. */
export class Replays {
  readonly #parts: ReplayManyParts;
  #mode: 'idle' | 'busy' = 'idle';

  constructor(parts: ReplayManyParts) {
    this.#parts = parts;
  }

  /** See `ActorSystem.replay`. */
  one(id: string): Promise<boolean> {
    return replayDeadLetter(id, this.#parts);
  }

  /**
   * Those of `selection` that wait now, for at most `msMax` and the batch under way.
   * @throws ReplayBusyError, and what the store throws before anything was done
   */
  async many(selection: DeadLetterSelection, msMax: number): Promise<ReplayManyResult> {
    if (this.#mode === 'busy') throw new ReplayBusyError('dead letters are being replayed already');
    this.#mode = 'busy';
    try {
      const marks = await this.#parts.store.choose(selection, LETTERS_MAX + 1);
      return await new Replay(this.#parts, this.#parts.clock.now() + msMax).run(marks);
    } finally {
      this.#mode = 'idle';
    }
  }
}

class Replay {
  readonly #parts: ReplayManyParts;
  readonly #deadline: number;
  readonly #failures: { readonly id: string; readonly reason: string }[] = [];
  #replayed = 0;
  #failed = 0;
  /** They do not wait any more. */
  #gone = 0;
  #stopped: string | undefined;

  constructor(parts: ReplayManyParts, deadline: number) {
    this.#parts = parts;
    this.#deadline = deadline;
  }

  async run(marks: readonly DeadLetterMark[]): Promise<ReplayManyResult> {
    const ordered = marks.slice(0, LETTERS_MAX).map(({ id }) => id);
    ordered.sort(byAcceptance);
    for (let from = 0; from < ordered.length && this.#goesOn(); from += BATCH_LETTERS) {
      try {
        await this.#batch(ordered.slice(from, from + BATCH_LETTERS));
      } catch (error) {
        // What is done is done, and the caller is told so: whoever asks again meets the trouble at once.
        if (!(error instanceof OutageError)) throw error;
        this.#stopped = error.code;
      }
    }
    return {
      replayed: this.#replayed,
      failed: this.#failed,
      failures: this.#failures,
      left: marks.length - this.#replayed - this.#failed - this.#gone,
      stopped: this.#stopped,
    };
  }

  #goesOn(): boolean {
    if (this.#parts.clock.now() >= this.#deadline) this.#stopped ??= 'deadline';
    return this.#stopped === undefined;
  }

  async #batch(ids: readonly string[]): Promise<void> {
    const { store } = this.#parts;
    const found = new Map((await store.getMany(ids)).map((letter) => [letter.envelope.id, letter]));
    const lanes = new Map<string, StoredDeadLetter[]>();
    for (const id of ids) {
      const letter = found.get(id);
      if (letter?.state !== 'waiting') {
        this.#gone++;
        continue;
      }
      const lane = laneOf(letter);
      const before = lanes.get(lane);
      if (before === undefined) lanes.set(lane, [letter]);
      else before.push(letter);
    }
    const put: DeadLetterMark[] = [];
    await Promise.all([...lanes.values()].map((lane) => this.#lane(lane, put)));
    this.#replayed += put.length;
    // One that has died again meanwhile is not settled, and waits anew.
    await store.settle(put, { state: 'replayed' });
  }

  /** Adds to `put` what is on the log. Never rejects. */
  async #lane(letters: readonly StoredDeadLetter[], put: DeadLetterMark[]): Promise<void> {
    for (const letter of letters) {
      if (!this.#goesOn()) return;
      try {
        await putBack(letter, this.#parts);
        put.push({ id: letter.envelope.id, deadAt: letter.deadAt });
      } catch (error) {
        if (isOfTheLog(error)) this.#stopped ??= causeOf(error).code;
        else this.#fail(letter.envelope.id, asError(error).message);
      }
    }
  }

  #fail(id: string, reason: string): void {
    this.#failed++;
    if (this.#failures.length < FAILURES_MAX) this.#failures.push({ id, reason });
  }
}

/** It says nothing of the letter. */
function isOfTheLog(error: unknown): boolean {
  return error instanceof LogFullError || error instanceof LogClosedError || error instanceof OutageError;
}

function laneOf({ envelope: { id, actor, key } }: StoredDeadLetter): string {
  const partition = undecodablePartition(id);
  return partition === undefined ? `${actor}\0${key}` : `${actor}\0\0${partition}`;
}

/** Ids of messages rise with the time of acceptance; what could not be decoded has its place on the log in the id. */
function byAcceptance(a: string, b: string): number {
  const [first, second] = [undecodablePlace(a) ?? a, undecodablePlace(b) ?? b];
  return first < second ? -1 : first > second ? 1 : 0;
}
