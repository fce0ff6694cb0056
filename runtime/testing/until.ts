const PAUSE_MS_MIN = 5;
const PAUSE_MS_MAX = 50;
/** After a look that took long, in looks: a node needs 11 ms of a core for its metrics, and a look at three of them may not take most of it. */
const PAUSE_LOOKS = 4;
const PAUSE_AFTER_LONG_MS_MAX = 200;

/**
 * Resolves when `condition` holds; looks again after a twentieth of the time that it has waited: a look may be a request to a node or a query,
 * and one every 5 ms kept a core half busy with nothing but looking. After a look that takes long it waits longer.
 * @throws Error naming `what` when it does not hold within `deadlineMs`
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const began = performance.now();
  let lookedAt = began;
  while (!(await condition())) {
    const now = performance.now();
    const waitedMs = now - began;
    if (waitedMs > deadlineMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    const pauseMs = Math.max(
      Math.min(Math.max(waitedMs / 20, PAUSE_MS_MIN), PAUSE_MS_MAX),
      Math.min((now - lookedAt) * PAUSE_LOOKS, PAUSE_AFTER_LONG_MS_MAX),
    );
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    lookedAt = performance.now();
  }
}
