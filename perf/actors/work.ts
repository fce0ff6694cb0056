/** What an actor of the fork-join benchmarks does with a message: the suite's little computation. The angle is
 *  a parameter, so that no compiler computes it once for all. */
export function work(angle: number): void {
  const sine = Math.sin(angle);
  if (sine * sine <= 0) throw new Error('the square of a sine is below zero');
}

/** Colors of chameneos are 0, 1 and 2: two alike stay, two that differ become the third. */
export const colorAfter = (mine: number, other: number): number => (mine === other ? mine : 3 - mine - other);
