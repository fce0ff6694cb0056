/** What every store of dead letters bounds in the same way, so that a put never fails because of what is in a letter. */
import type {
  DeadLetterCause,
  DeadLetterFilter,
  DeadLetterSelection,
} from '../runtime/stores/dead-letter.js';

const MESSAGE_CHARS_MAX = 2_000;
const STACK_CHARS_MAX = 8_000;
const CODE_CHARS_MAX = 200;
const LIST_MAX = 1_000;
const IDS_MAX = 10_000;
/** One more than a replay takes at once tells it that there are more. */
const CHOSEN_MAX = 100_001;
const BY_CHARS_MAX = 200;

/** Codes and actors in a summary. */
export const SUMMARY_ROWS_MAX = 50;

export function boundedCause({ code, message, stack }: DeadLetterCause): DeadLetterCause {
  return {
    code: bounded(code, CODE_CHARS_MAX),
    message: bounded(message, MESSAGE_CHARS_MAX),
    stack: bounded(stack, STACK_CHARS_MAX),
  };
}

function bounded(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`;
}

/** Who dropped a letter. */
export function boundedBy(by: string): string {
  return bounded(by, BY_CHARS_MAX);
}

/** @throws RangeError when the limit or the number of ids is out of its range */
export function assertFilter(filter: DeadLetterFilter): void {
  assertWithin('a list of dead letters', filter.limit, 1, LIST_MAX);
  assertSelection(filter);
}

/** @throws RangeError */
export function assertSelection({ ids }: DeadLetterSelection): void {
  if (ids !== undefined) assertWithin('a selection of dead letters by id', ids.length, 0, IDS_MAX);
}

/** @throws RangeError */
export function assertChoice(selection: DeadLetterSelection, limit: number): void {
  assertWithin('a choice of dead letters', limit, 1, CHOSEN_MAX);
  assertSelection(selection);
}

/** @throws RangeError */
export function assertMany(many: readonly unknown[]): void {
  assertWithin('a batch of dead letters', many.length, 0, LIST_MAX);
}

function assertWithin(what: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${what} has ${min} to ${max}, not ${value}`);
  }
}
