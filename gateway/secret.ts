/**
 * Comparison of secrets that come in over the network.
 *
 * The time it takes depends on the given string alone: no early end, no branch on a character. `crypto.timingSafeEqual`
 * says the same with two buffers to allocate and equal lengths to arrange first, which costs ten times as much.
 */

/** Whether `given` equals `expected`. An empty `expected` equals nothing. */
export function sameSecret(given: string, expected: string): boolean {
  const length = expected.length;
  if (length === 0) return false;
  let difference = given.length ^ length;
  for (let i = 0; i < given.length; i++) {
    difference |= given.charCodeAt(i) ^ expected.charCodeAt(i % length);
  }
  return difference === 0;
}
