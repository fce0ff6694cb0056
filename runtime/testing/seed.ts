/** The seed of a random test: from TEST_SEED, or drawn. It is printed, so that a run can be repeated. */
export function testSeed(t: { comment(text: string): void }): number {
  const given = process.env.TEST_SEED;
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  t.comment(`TEST_SEED=${seed}`);
  return seed;
}
