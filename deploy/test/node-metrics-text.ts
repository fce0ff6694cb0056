/** Numbers of a node that runs, by its `/metrics`. */

/** NaN when the node has no such series. @throws when it does not answer */
export async function metricOf(url: string, name: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) })).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(metrics)?.[1] ?? Number.NaN);
}

/** Messages on the log that are not done. */
export const lagOf = (url: string): Promise<number> => metricOf(url, 'tether_log_lag_messages');
