/** Which activation goes when there are too many: the one that has been unused for longest, those that owe an answer last. */

interface Candidate<Self> {
  readonly quiet: boolean;
  readonly owesAnswers: boolean;
  readonly newer: Self | undefined;
}

/** How many are looked at. */
const CANDIDATES_MAX = 16;

/** @param oldest the one that was used longest ago @returns undefined when all that are looked at are busy */
export function longestIdle<Each extends Candidate<Each>>(oldest: Each | undefined): Each | undefined {
  let debtor: Each | undefined;
  let at = oldest;
  for (let looked = 0; at !== undefined && looked < CANDIDATES_MAX; looked++) {
    if (at.quiet && !at.owesAnswers) return at;
    if (at.quiet) debtor ??= at;
    at = at.newer;
  }
  return debtor;
}
