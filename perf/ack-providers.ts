/**
 * What each provider costs beside EMP: durable acknowledgements a second over 64 connections, the server's CPU time of one, and within that the
 * CPU time of `recognise` alone. Every round measures each of them.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PROVIDERS } from '../gateway/providers/index.js';
import { startChild } from './child.js';
import { type ProviderLoad, providerLoads } from './load/provider-requests.js';
import { runWrk, type WrkResult, webhookRequest, writeRequests } from './load/wrk.js';
import { showSpread, spread, table } from './table.js';

const REQUESTS = 5000;
const CONNECTIONS = 64;
const RECOGNISE_MS = 200;

/** Prints its table. */
export async function measureProviders(directory: string, rounds: number, seconds: number): Promise<void> {
  const loads = providerLoads(REQUESTS, Math.floor(Date.now() / 1000));
  mkdirSync(join(directory, 'providers'));
  const child = await startChild<{ readonly port: number }>(
    new URL('./subjects/edge-providers.js', import.meta.url),
    [join(directory, 'providers'), JSON.stringify(loads.map(({ endpoint }) => endpoint))],
  );
  const results = new Map<string, { readonly wrk: WrkResult; readonly recogniseUs: number }[]>();
  try {
    for (const { endpoint, requests } of loads) {
      writeRequests(
        join(directory, endpoint.name),
        requests.map(({ headers, body }) =>
          webhookRequest(`/webhooks/${endpoint.name}/${endpoint.token}`, headers, body),
        ),
      );
    }
    for (let round = 0; round <= rounds; round++) {
      for (const load of loads) {
        const wrk = await runWrk({
          port: child.ready.port,
          connections: CONNECTIONS,
          // The first round warms up.
          seconds: round === 0 ? 1 : seconds,
          requestsFile: join(directory, load.endpoint.name),
          serverPid: child.pid,
        });
        if (wrk.errors > 0) throw new Error(`${load.name}: ${wrk.errors} requests were not acknowledged`);
        const recogniseUs = recogniseTimeUs(load);
        if (round > 0) results.set(load.name, [...(results.get(load.name) ?? []), { wrk, recogniseUs }]);
      }
      process.stderr.write(`providers: round ${round} of ${rounds}\n`);
    }
  } finally {
    await child.stop();
  }
  const emp = results.get('emp') ?? [];
  const cpuUs = ({ serverCores, requestsPerSecond }: WrkResult) => (serverCores / requestsPerSecond) * 1e6;
  const rows = [...results].map(([name, runs]) => [
    name,
    showSpread(spread(runs.map(({ wrk }) => wrk.requestsPerSecond)), 0),
    showSpread(
      spread(runs.map(({ wrk }, i) => wrk.requestsPerSecond / (emp[i]?.wrk.requestsPerSecond ?? Number.NaN))),
      2,
    ),
    showSpread(spread(runs.map(({ wrk }) => cpuUs(wrk))), 1),
    showSpread(spread(runs.map(({ wrk }, i) => cpuUs(wrk) - cpuUs(emp[i]?.wrk ?? wrk))), 1),
    showSpread(spread(runs.map(({ recogniseUs }) => recogniseUs)), 1),
  ]);
  console.log(
    table(['provider', 'acknowledged/s', 'of EMP', 'CPU us', 'more than EMP, us', 'recognise, us'], rows),
  );
}

/** CPU time of one call, in this process. */
function recogniseTimeUs({ endpoint, requests }: ProviderLoad): number {
  const { name, provider, secrets, options } = endpoint;
  const made = PROVIDERS.get(provider)?.create({ endpoint: name, secrets, options, order: 'key' });
  if (made === undefined) throw new Error(`no provider ${provider}`);
  const calls = requests.map(({ headers, body }) => ({
    body: Buffer.from(body),
    headers: made.headers.map((header) => headers[header] ?? ''),
  }));
  const nowMs = Date.now();
  const started = process.cpuUsage();
  const usedUs = () => {
    const { user, system } = process.cpuUsage(started);
    return user + system;
  };
  let count = 0;
  while (usedUs() < RECOGNISE_MS * 1000) {
    for (const { body, headers } of calls) {
      if (made.recognise(body, headers, nowMs).outcome !== 'accepted')
        throw new Error(`${name} refuses its own`);
    }
    count += calls.length;
  }
  return usedUs() / count;
}
