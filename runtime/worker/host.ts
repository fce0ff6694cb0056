/**
 * The host: the one long-lived Piscina task of a worker thread. It opens the actor, turns deliveries into entries, and
 * reports their fate.
 *
 * Modes: opening -> open -> draining -> closed. The task's promise resolves in `closed` and rejects when the actor cannot be
 * opened. When a `receive` hangs, the host ends the thread, the only way to be rid of it: the pool starts another one, and the
 * dispatcher delivers again. When it blocks the thread, the pool ends it (`pulse.ts`).
 */
import { threadId } from 'node:worker_threads';
import { systemClock } from '../clock.js';
import { ActivationStoppedError, ReceiveTimeoutError } from '../errors.js';
import { causeOf, fencedPartitionsOf } from '../failure.js';
import type { Entry, Outcome } from '../kernel/entry.js';
import { Kernel } from '../kernel/kernel.js';
import type { TypeHost } from '../kernel/type-host.js';
import { SharedLogLevel } from '../log-level.js';
import { loadActor } from '../module.js';
import { startPulse } from '../pool/pulse.js';
import { findTracing, flushSpans } from '../tracing.js';
import type {
  Dead,
  Done,
  Forgotten,
  Happened,
  HostTask,
  Load,
  Outage,
  Parked,
  Ready,
  ToWorker,
} from '../worker-protocol.js';
import { Deliveries } from './deliveries.js';
import { EventBuffer } from './event-buffer.js';
import { Measuring } from './gauges.js';
import { LiveSettings } from './live-settings.js';
import { limitsOf, openParts } from './opening.js';
import { portLogger } from './port-logger.js';
import { ThreadMesh } from './thread-mesh.js';

const SWEEP_INTERVAL_MS = 1_000;
const HUNG_EXIT_CODE = 70;
/** Volatile messages in all mailboxes of a thread. */
const WAITING_MAX = 1_000_000;
/** So much of the time for a drain is over when calls under way are told: what is left is for giving up in good order. */
const HURRY_SHARE = 0.8;

export default async function host(task: HostTask): Promise<void> {
  const stopPulse = startPulse(task.pulse, task.receiveMsMax);
  try {
    await run(task);
  } finally {
    stopPulse();
  }
}

async function run(task: HostTask): Promise<void> {
  const { port, actor, thread } = task;
  const logger = portLogger(port, new SharedLogLevel(task.logLevel), { actor, thread });
  let { batching } = task;
  const settings = new LiveSettings(task, logger);
  const drainAsked = new Promise<number>((resolve) => {
    port.on('message', (message: ToWorker) => {
      if (message.type === 'drain') resolve(message.deadlineMs);
      else if (message.type === 'batch') ({ batching } = message);
      else if (message.type === 'settings') settings.change(message);
    });
    // The main thread closed its end: it will not wait for anything we do.
    port.on('close', () => resolve(0));
  });

  const measuring = new Measuring(task.measures);
  const definition = await loadActor(task.module);
  const opened = await openParts(definition, task, settings, logger, drainAsked);
  if (opened === undefined) return;
  const { resources, snapshots } = opened;
  const events = new EventBuffer((events) => port.postMessage({ type: 'events', events } satisfies Happened));
  const threadMesh = new ThreadMesh(port, task.places + thread, (count, reason, error) => {
    if (error !== undefined) logger.warn({ err: error }, 'a message cannot be sent, and is dropped');
    events.add({ kind: 'dropped', actor, reason, count });
  });
  const kernel = new Kernel({
    clock: systemClock,
    random: Math.random,
    retry: task.retry,
    receiveMsMax: task.receiveMsMax,
    waitingMax: WAITING_MAX,
    logger,
    transport: threadMesh.mesh,
    onEvent: (event) => events.add(event),
    id: threadId,
  });
  // By the actor's module, its `open`, or a module that was loaded before all others.
  kernel.tracing = findTracing();
  threadMesh.attach(kernel);
  for (const { actor: type, module } of task.grouped) {
    const { group } = await loadActor(module);
    if (group !== undefined) kernel.setGroup(type, group);
  }
  const host: TypeHost = kernel.host({
    definition,
    resources,
    batching,
    snapshots,
    limits: limitsOf(definition, task),
    logger,
    meter: measuring.meter,
    outcome: outcomeTo(task, () => host),
  });

  const hung = (error: Error) => {
    logger.error({ err: error }, 'a call hangs, its thread ends');
    process.exit(HUNG_EXIT_CODE);
  };
  const deliveries = new Deliveries(host, task);
  port.on('message', (message: ToWorker) => {
    if (message.type === 'deliver') {
      deliveries.take(message);
      kernel.scheduler.flush();
    } else if (message.type === 'batch') {
      host.batch(message.batching);
    } else if (message.type !== 'drain' && message.type !== 'settings') {
      threadMesh.handle(message);
    }
  });
  await settings.opened({ definition, resources, host, scheduler: kernel.scheduler, hung });
  port.postMessage({ type: 'ready' } satisfies Ready);

  const report = () => {
    const asksPending = kernel.pendingDeadlines + threadMesh.mesh.pending;
    port.postMessage({
      type: 'load',
      delayMs: host.delay.sample(),
      live: host.live,
      asksPending,
      measures: measuring.take(host),
    } satisfies Load);
  };
  const watchdog = setInterval(
    () => {
      kernel.sweep();
      kernel.tracing = findTracing(kernel.tracing);
      kernel.flushEvents();
      events.flush();
      report();
      host.delay.probe(kernel.scheduler);
      const since = host.suspendedSince();
      if (since === undefined || systemClock.now() - since <= task.receiveMsMax) return;
      hung(new ReceiveTimeoutError(`receive of actor ${actor} did not return in ${task.receiveMsMax} ms`));
    },
    Math.min(SWEEP_INTERVAL_MS, task.receiveMsMax / 2),
  );
  try {
    const deadlineMs = await drainAsked;
    await kernel.drain(deadlineMs * HURRY_SHARE);
    await host.close();
    report();
    await snapshots?.store.close();
    await flushSpans(systemClock, logger);
  } finally {
    clearInterval(watchdog);
    measuring.stop();
    kernel.stop(new ActivationStoppedError(`the thread of actor ${actor} ended`));
    kernel.flushEvents();
    events.flush();
    threadMesh.close();
    port.close();
  }
}

function outcomeTo({ port, actor }: HostTask, host: () => TypeHost): Outcome {
  const parked = { messages: 0, bytes: 0 };
  return {
    done(entries) {
      const { meter, live } = host();
      meter?.done(entries, systemClock.now());
      port.postMessage({ ...rangesOf(entries), type: 'done', live } satisfies Done);
    },
    dead({ partition, offset, bytes, message }, cause) {
      const { id, key, dedupe, receivedAt, traceparent, attempt } = message;
      // Copied: the payload is a view of the whole delivery, and a clone would carry all of it.
      const payload = Uint8Array.from(message.payload);
      const envelope = { id, actor, key, dedupe, receivedAt, traceparent, payload };
      port.postMessage({
        type: 'dead',
        partition,
        offset,
        bytes,
        envelope,
        cause,
        attempts: attempt,
      } satisfies Dead);
    },
    parked(messages, bytes) {
      parked.messages += messages;
      parked.bytes += bytes;
      port.postMessage({ type: 'parked', ...parked } satisfies Parked);
    },
    forgotten(entries) {
      const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
      port.postMessage({ type: 'forgotten', messages: entries.length, bytes } satisfies Forgotten);
    },
    outage(error) {
      const { code, message } = error === undefined ? { code: undefined, message: '' } : causeOf(error);
      port.postMessage({ type: 'outage', code, message, fenced: fencedPartitionsOf(error) } satisfies Outage);
    },
  };
}

/** Entries as ranges of offsets; neighbours are joined. */
export function rangesOf(entries: readonly Entry[]): Pick<Done, 'ranges' | 'count' | 'bytes'> {
  const ranges: number[] = [];
  let bytes = 0;
  let partition = -1;
  let end = -1;
  for (const entry of entries) {
    bytes += entry.bytes;
    if (entry.partition === partition && entry.offset === end) {
      end++;
      ranges[ranges.length - 1] = end;
    } else {
      partition = entry.partition;
      end = entry.offset + 1;
      ranges.push(partition, entry.offset, end);
    }
  }
  return { ranges, count: entries.length, bytes };
}
