/** What a client is told when the intake refuses its file. */
import type { Answer } from '../answer.js';
import { type ProblemName, problem } from '../problem.js';
import type { IntakeRefusal } from './intake/intake.js';

const REFUSED: Readonly<Record<IntakeRefusal, ProblemName>> = {
  'too-large': 'content-too-large',
  empty: 'empty-file',
  'not-a-table': 'not-a-table',
  'malformed-form': 'malformed-form',
  'wrong-checksum': 'wrong-digest',
  'too-long': 'content-too-large',
};

export function refusalAnswer({
  code,
  detail,
}: {
  readonly code: IntakeRefusal;
  readonly detail: string;
}): Answer {
  return problem(REFUSED[code], detail);
}
