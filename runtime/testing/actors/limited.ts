/**
 * A keyed actor for tests of limits that hold over several systems: it notes in shared memory how many calls are under way in all of them, and
 * when each message was handed out. Its limits are those in the query of its URL; a group of keys is what stands before their `/`.
 */
import { type ActorDefinition, defineActor } from '../../actor.js';
import type { Limits } from '../../limits.js';

export interface LimitedSettings {
  readonly gauge: Int32Array;
  /** Of a call, milliseconds. */
  readonly callMs: number;
  /** From which times count, milliseconds since the epoch. */
  readonly began: number;
}

/** Places in the gauge. */
export const UNDER_WAY = 0;
export const MOST = 1;
export const MESSAGES = 2;
const FIRST_TIME = 3;

export function limitedModule(limits: Limits): string {
  return `${import.meta.url}?limits=${encodeURIComponent(JSON.stringify(limits))}`;
}

export function newGauge(messages: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * (FIRST_TIME + messages)));
}

/** When messages were handed out, in order. */
export function timesOf(gauge: Int32Array): readonly number[] {
  return [...gauge.subarray(FIRST_TIME, FIRST_TIME + Atomics.load(gauge, MESSAGES))].sort((a, b) => a - b);
}

/** The stretches in which there were more messages than a bucket gives. Times are whole milliseconds. */
export function tooMany(times: readonly number[], ratePerSecond: number, burst: number): readonly string[] {
  return times.flatMap((from, first) =>
    times.slice(first).flatMap((to, more) => {
      const most = burst + ((to - from + 2) * ratePerSecond) / 1_000;
      return more + 1 > most ? [`${more + 1} in ${to - from} ms`] : [];
    }),
  );
}

const definition: ActorDefinition<unknown, unknown, LimitedSettings> = {
  type: 'limited',
  scope: 'key',
  batchMax: 4,
  limits: JSON.parse(new URL(import.meta.url).searchParams.get('limits') ?? '{}') as Limits,
  group: (key) => key.split('/')[0] ?? key,
  open: ({ settings }) => settings as LimitedSettings,
  async receive(messages, { resources: { gauge, callMs, began } }) {
    const now = Atomics.add(gauge, UNDER_WAY, 1) + 1;
    if (now > Atomics.load(gauge, MOST)) Atomics.store(gauge, MOST, now);
    for (const _ of messages) {
      gauge[FIRST_TIME + Atomics.add(gauge, MESSAGES, 1)] = Date.now() - began;
    }
    // What other calls come between; the time itself means nothing.
    await new Promise((resolve) => setTimeout(resolve, callMs));
    Atomics.sub(gauge, UNDER_WAY, 1);
  },
};

export default defineActor(definition);
