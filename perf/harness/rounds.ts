/** In which order what is compared is measured, and when it is warm. */

/** Ends of the last so many measurements must agree for a subject to be warm. */
const STEADY = 3;
const STEADY_WITHIN = 0.05;
const WARM_UP_MAX = 8;

/**
 * Measures every subject in each round, one after the other; every second round backwards, so that none is always the one after another.
 * @returns for each subject a value for each round
 */
export async function interleaved<Subject, Value>(
  subjects: readonly Subject[],
  rounds: number,
  measure: (subject: Subject, round: number) => Promise<Value>,
): Promise<ReadonlyMap<Subject, readonly Value[]>> {
  const found = new Map<Subject, Value[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < rounds; round++) {
    for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
      found.get(subject)?.push(await measure(subject, round));
    }
  }
  return found;
}

/** Whether the last three lie within 5 % of one another. */
export function isSteady(rates: readonly number[]): boolean {
  if (rates.length < STEADY) return false;
  const last = rates.slice(-STEADY);
  return Math.max(...last) - Math.min(...last) <= STEADY_WITHIN * Math.max(...last);
}

/** Repeats a short measurement until its rate is steady, eight times at most. Resolves with whether it became so. */
export async function warmedUp(rate: () => Promise<number>): Promise<boolean> {
  const rates: number[] = [];
  while (rates.length < WARM_UP_MAX && !isSteady(rates)) rates.push(await rate());
  return isSteady(rates);
}
