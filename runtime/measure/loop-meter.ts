/** How a thread does: how busy its event loop is, how long that was held up, and what its heap holds. For the main thread and workers. */
import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

export interface LoopSample {
  /** Share of the time since the last sample that the event loop was busy, 0 to 1. */
  readonly busy: number;
  /** The longest that the event loop was late since the last sample, milliseconds. */
  readonly eventLoopDelayMs: number;
  /** Of JavaScript, in use. */
  readonly heapBytes: number;
  /** What that may become before the thread ends. */
  readonly heapBytesMax: number;
}

/** Between two looks of the monitor: what holds the loop up for less may be missed. It wakes an idle thread, so it is not less. */
const RESOLUTION_MS = 20;
const NS_PER_MS = 1e6;

export class LoopMeter {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #since: EventLoopUtilization = performance.eventLoopUtilization();

  constructor() {
    this.#delay.enable();
  }

  sample(): LoopSample {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#since);
    this.#since = now;
    // What is recorded is the time between two looks, its resolution included.
    const longest = this.#delay.max / NS_PER_MS - RESOLUTION_MS;
    this.#delay.reset();
    const { used_heap_size: heapBytes, heap_size_limit: heapBytesMax } = getHeapStatistics();
    return {
      busy: Number.isFinite(utilization) ? Math.min(1, Math.max(0, utilization)) : 0,
      eventLoopDelayMs: Math.max(0, longest),
      heapBytes,
      heapBytesMax,
    };
  }

  stop(): void {
    this.#delay.disable();
  }
}
