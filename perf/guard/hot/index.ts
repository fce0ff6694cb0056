/** The hot functions: what each webhook goes through, from its body to the actor. */
import { ACTOR_FUNCTIONS } from './actors.js';
import { EMP_FUNCTIONS } from './emp.js';
import { ENVELOPE_FUNCTIONS } from './envelope.js';
import type { HotFunction } from './hot-function.js';
import { JOURNAL_FUNCTIONS } from './journal.js';

/** In the order in which they are driven, all in one process; always the same, for what is compiled first colours what comes after. */
export const HOT_FUNCTIONS: readonly HotFunction[] = [
  ...EMP_FUNCTIONS,
  ...ENVELOPE_FUNCTIONS,
  ...JOURNAL_FUNCTIONS,
  ...ACTOR_FUNCTIONS,
];
