const PAUSE_MS_MIN = 5;
const PAUSE_MS_MAX = 50;

/**
 * Resolves when `condition` holds; looks again after a twentieth of the time that it has waited: a look may be a request to a node or a query,
 * and one every 5 ms kept a core half busy with nothing but looking.
 * @throws Error naming `what` when it does not hold within `deadlineMs`
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const began = performance.now();
  while (!(await condition())) {
    const waitedMs = performance.now() - began;
    if (waitedMs > deadlineMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    const pauseMs = Math.min(Math.max(waitedMs / 20, PAUSE_MS_MIN), PAUSE_MS_MAX);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
