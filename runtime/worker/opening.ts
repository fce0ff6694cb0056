/** What a thread opens before its first message: the actor, the store of its snapshots, its share of the limits. */
import type { ActorDefinition } from '../actor.js';
import { causeOf, failureOf } from '../failure.js';
import type { TypeHostOptions } from '../kernel/type-host-options.js';
import { fillLimits } from '../limits.js';
import type { Logger } from '../logger.js';
import { SharedLimits, TAKERS_MAX } from '../pool/shared-limits.js';
import { backoffMs } from '../retry.js';
import { loadSnapshotStore } from '../stores/store-module.js';
import type { HostTask, Outage } from '../worker-protocol.js';
import type { LiveSettings } from './live-settings.js';

const OPEN_RETRY = { attemptsMax: Number.POSITIVE_INFINITY, delayMs: 100, delayMsMax: 2_000 };

export function limitsOf({ limits }: ActorDefinition, task: HostTask): TypeHostOptions['limits'] {
  const filled = fillLimits(limits);
  if (filled === undefined || task.limits === undefined) return undefined;
  return new SharedLimits(filled, TAKERS_MAX, task.limits).attach(task.thread);
}

/**
 * Opens the store of snapshots and the actor; waits while what they need is away. Undefined when a drain came first.
 *
 * @throws what they throw, but for outages
 */
export async function openParts(
  definition: ActorDefinition,
  task: HostTask,
  settings: LiveSettings,
  logger: Logger,
  drainAsked: Promise<unknown>,
): Promise<{ readonly resources: unknown; readonly snapshots: TypeHostOptions['snapshots'] } | undefined> {
  const { actor, thread, snapshots } = task;
  const store = snapshots && (await patiently(task, drainAsked, () => loadSnapshotStore(snapshots.store)));
  if (snapshots !== undefined && store === undefined) return undefined;
  const opened = await patiently(task, drainAsked, () =>
    definition.open?.({ actor, thread, settings: settings.toOpen(), logger }),
  );
  if (opened === undefined) return undefined;
  return {
    resources: opened.value,
    snapshots: snapshots && store && { store: store.value, log: snapshots.log },
  };
}

async function patiently<Value>(
  { port }: HostTask,
  drainAsked: Promise<unknown>,
  open: () => Promise<Value> | Value,
): Promise<{ readonly value: Value } | undefined> {
  for (let failures = 1; ; failures++) {
    try {
      const value = await open();
      if (failures > 1) port.postMessage({ type: 'outage', code: undefined, message: '' } satisfies Outage);
      return { value };
    } catch (error) {
      if (failureOf(error) !== 'outage') throw error;
      const { code, message } = causeOf(error);
      port.postMessage({ type: 'outage', code, message } satisfies Outage);
    }
    const drained = await Promise.race([
      drainAsked.then(() => true),
      pause(backoffMs(failures, OPEN_RETRY, Math.random)),
    ]);
    if (drained) return undefined;
  }
}

function pause(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms));
}
