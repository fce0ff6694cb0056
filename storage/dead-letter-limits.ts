/** What every store of dead letters bounds in the same way, so that a put never fails because of what is in a letter. */
import type { DeadLetterCause, DeadLetterFilter } from '../runtime/stores/dead-letter.js';

const MESSAGE_CHARS_MAX = 2_000;
const STACK_CHARS_MAX = 8_000;
const CODE_CHARS_MAX = 200;
const LIST_MAX = 1_000;

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

/** @throws RangeError when the limit is out of its range */
export function assertFilter({ limit }: DeadLetterFilter): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_MAX) {
    throw new RangeError(`a list of dead letters has a limit of 1 to ${LIST_MAX}, not ${limit}`);
  }
}
