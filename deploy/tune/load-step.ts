/** One step of load: test payments at a rate for some seconds, and what both sides saw of it. */
import { randomInt } from 'node:crypto';
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { sendEmp } from '../send/send-emp.js';
import type { LoadSeen } from './measurements.js';

interface LoadTarget {
  /** `http://host:port` */
  readonly url: string;
  readonly endpoint: string;
  readonly token: string;
  readonly password: string;
  readonly connections: number;
  /** Whether the node is on this machine. */
  readonly here: boolean;
  /** Of the signed ids: who sees one in the tables knows where it is from. */
  readonly prefix: string;
}

/** How long one payment is tried: a step is short, and who is refused for longer says enough. */
const DELIVERY_MS_MAX = 5_000;

/** What was due in time and is late by less is sent all the same: a sender wakes late where cores are few. */
const GRACE_MS = 250;

/** Ends with its time whatever the node does; what is under way then is waited for, no longer than a delivery takes. */
async function loadStep(
  target: LoadTarget,
  rate: number,
  seconds: number,
  signal: AbortSignal,
): Promise<LoadSeen> {
  let failures = 0;
  const before = performance.eventLoopUtilization();
  const coresBefore = coreTimes();
  const over = AbortSignal.timeout(Math.ceil(seconds * 1_000) + GRACE_MS);
  const summary = await sendEmp({
    ...target,
    // One kind, so that one prefix finds all of them.
    kinds: ['processing'],
    seed: randomInt(2 ** 32),
    count: Number.isFinite(rate) ? Math.max(1, Math.round(rate * seconds)) : Number.POSITIVE_INFINITY,
    rate,
    deadlineMsMax: DELIVERY_MS_MAX,
    signal: AbortSignal.any([signal, over]),
    onProgress: (progress) => {
      failures = progress.failures;
    },
  });
  const { utilization } = performance.eventLoopUtilization(before);
  const { latencyMs } = summary;
  return {
    rate,
    // The last one is due a little before the time is over.
    seconds: Math.max(summary.seconds, seconds),
    connections: target.connections,
    sent: summary.sent,
    acknowledged: summary.acknowledged,
    failures,
    rejected: summary.rejected,
    latencyMs: latencyMs === null ? null : { p50: latencyMs.p50, p95: latencyMs.p95, p99: latencyMs.p99 },
    busy: Math.min(1, Math.max(0, utilization)),
    machineBusy: target.here ? shareBusy(coresBefore, coreTimes()) : null,
  };
}

interface CoreTimes {
  readonly idle: number;
  readonly all: number;
}

/** Of all cores, since the machine started. */
function coreTimes(): CoreTimes {
  let [idle, all] = [0, 0];
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.user + times.nice + times.sys + times.irq + times.idle;
  }
  return { idle, all };
}

/** Null where the system does not tell. */
function shareBusy(before: CoreTimes, after: CoreTimes): number | null {
  const all = after.all - before.all;
  return all <= 0 ? null : Math.min(1, Math.max(0, 1 - (after.idle - before.idle) / all));
}

export { type LoadTarget, loadStep };
