/**
 * What each provider costs beside EMP: durable acknowledgements a second over 64 connections, the server's CPU time of one, and within that the
 * CPU time of `recognise` alone. Every round measures each of them on one gateway with an endpoint for each.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PROVIDERS } from '../../gateway/providers/index.js';
import { startChild } from '../harness/child.js';
import { Findings } from '../harness/findings.js';
import { interleaved } from '../harness/rounds.js';
import { type Scenario, WRK } from '../harness/scenario.js';
import { type ProviderLoad, providerLoads } from '../load/provider-requests.js';
import { runWrk, type WrkResult, webhookRequest, writeRequests } from '../load/wrk.js';

const REQUESTS = 5_000;
const CONNECTIONS = 64;
const RECOGNISE_MS = 200;
const WARM_UP_SECONDS = 1;

interface Measured {
  readonly wrk: WrkResult;
  readonly recogniseUs: number;
}

export const providers: Scenario = {
  name: 'providers',
  title: 'What each provider of webhooks costs',
  needs: [WRK],
  minutes: 5,
  isUsual: false,
  async run(bench) {
    const { rounds = 5, seconds = 3, directory } = bench;
    const found = new Findings([
      `${rounds} rounds after one that warms up; each measures every provider for ${seconds} s over ${CONNECTIONS} connections (closed loop, wrk with one thread, signed requests of about the same event built before the run).`,
      'All go to one gateway and journal, each to an endpoint of its own; a reader commits at once.',
      `Recognising alone: CPU time of a call in the process of the benchmark, repeated for ${RECOGNISE_MS} ms.`,
    ]);
    const loads = providerLoads(REQUESTS, Math.floor(Date.now() / 1_000));
    mkdirSync(join(directory, 'providers'));
    const child = await startChild<{ readonly port: number }>(
      new URL('../subjects/edge-providers.js', import.meta.url),
      [join(directory, 'providers'), JSON.stringify(loads.map(({ endpoint }) => endpoint))],
      bench.nodeOptions('gateway and journal'),
    );
    bench.onEnd(() => child.stop());
    await bench.pinning.subject(child.pid);
    for (const { endpoint, requests } of loads) {
      const path = `/webhooks/${endpoint.name}/${endpoint.token}`;
      writeRequests(
        join(directory, endpoint.name),
        requests.map(({ headers, body }) => webhookRequest(path, headers, body)),
      );
    }
    const measure = async (load: ProviderLoad, measured = seconds): Promise<Measured> => {
      const wrk = await runWrk({
        port: child.ready.port,
        connections: CONNECTIONS,
        seconds: measured,
        requestsFile: join(directory, load.endpoint.name),
        serverPid: child.pid,
        pinning: bench.pinning,
      });
      if (wrk.errors > 0) throw new Error(`${load.name}: ${wrk.errors} requests were not acknowledged`);
      return { wrk, recogniseUs: recogniseTimeUs(load) };
    };
    for (const load of loads) await measure(load, WARM_UP_SECONDS);
    const results = await interleaved(loads, rounds, async (load, round) => {
      const result = await measure(load);
      bench.note(`round ${round + 1} of ${rounds}: ${load.name}`);
      return result;
    });
    tell(found, results);
    return found.done();
  },
};

function tell(found: Findings, results: ReadonlyMap<ProviderLoad, readonly Measured[]>): void {
  const runs = (read: (run: Measured) => number) =>
    [...results].map(([{ name }, measured]) => ({
      subject: name,
      role: 'tether' as const,
      rounds: measured.map(read),
    }));
  const rates = runs(({ wrk }) => wrk.requestsPerSecond);
  const cpu = runs(({ wrk }) => (wrk.serverCores / wrk.requestsPerSecond) * 1e6);
  const isEmp = ({ subject }: { readonly subject: string }) => subject === 'emp';
  const empCpu = cpu.find(isEmp)?.rounds ?? [];
  const empRates = rates.find(isEmp)?.rounds ?? [];
  found.group(`Acknowledged, ${CONNECTIONS} connections`, 'requests/s', 'more', rates);
  found.group('CPU of the server for an answer', 'us', 'less', cpu);
  found.group(
    'CPU of the server for an answer, beyond that of EMP',
    'us',
    'less',
    cpu
      .filter((run) => !isEmp(run))
      .map((run) => ({ ...run, rounds: run.rounds.map((us, round) => us - (empCpu[round] ?? Number.NaN)) })),
  );
  found.group(
    'CPU of recognising a webhook alone',
    'us',
    'less',
    runs(({ recogniseUs }) => recogniseUs),
  );
  for (const run of rates)
    if (!isEmp(run)) found.ratio(`${run.subject} / emp, acknowledged`, run.rounds, empRates);
  for (const [{ name }, measured] of results) {
    found.loadCores(
      name,
      measured.map(({ wrk }) => wrk.loadCores),
    );
  }
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
  while (usedUs() < RECOGNISE_MS * 1_000) {
    for (const { body, headers } of calls) {
      if (made.recognise(body, headers, nowMs).outcome !== 'accepted')
        throw new Error(`${name} refuses its own`);
    }
    count += calls.length;
  }
  return usedUs() / count;
}
