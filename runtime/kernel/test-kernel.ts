/** A kernel for tests: alone, and on the clock that it is given. */
import { setImmediate as macrotask } from 'node:timers/promises';
import { type ActorDefinition, defineActor } from '../actor.js';
import { ManualClock, systemClock } from '../clock.js';
import type { ActorEvent } from '../events.js';
import { silentLogger } from '../logger.js';
import type { ThreadLimits } from '../pool/shared-limits.js';
import { DEFAULT_RETRY } from '../retry.js';
import { Kernel, type KernelOptions } from './kernel.js';
import type { TypeHost } from './type-host.js';

export function testKernel(options: Partial<KernelOptions> = {}): Kernel {
  return new Kernel({
    clock: systemClock,
    random: Math.random,
    retry: DEFAULT_RETRY,
    receiveMsMax: 300_000,
    waitingMax: 1_000_000,
    logger: silentLogger,
    transport: undefined,
    onEvent: () => {},
    id: 0,
    ...options,
  });
}

/** Hosts a type without a log. */
export function hostIn<Body, State, Resources>(
  kernel: Kernel,
  definition: ActorDefinition<Body, State, Resources>,
  limits?: ThreadLimits,
): TypeHost {
  return kernel.host({
    definition: defineActor(definition) as ActorDefinition,
    resources: undefined,
    logger: silentLogger,
    limits,
    outcome: { done() {}, dead() {}, parked() {}, outage() {}, forgotten() {} },
  });
}

/** A kernel on a clock that stands still, with what it told. */
export function manualKernel(options: Partial<KernelOptions> = {}) {
  const clock = new ManualClock(1_000);
  const events: ActorEvent[] = [];
  const kernel = testKernel({ clock, random: () => 0.5, onEvent: (event) => events.push(event), ...options });
  /** Events of a kind, with what was only counted until now. */
  const told = <Kind extends ActorEvent['kind']>(kind: Kind) => {
    kernel.flushEvents();
    return events.filter((event): event is ActorEvent & { readonly kind: Kind } => event.kind === kind);
  };
  return { kernel, clock, events, told };
}

/** Lets every promise that can settle do so. */
export async function settle(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await macrotask();
}

/** What becomes of a promise: its value, or the code of its error. */
export async function fate(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return (error as { readonly code?: string }).code ?? (error as Error).message;
  }
}
