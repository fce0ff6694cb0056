/** What crosses the threads of a run: the main thread, which schedules and does the I/O, and one thread for each VU. */
import type { MessagePort } from 'node:worker_threads';
import type { MetricDefinition, Sample, Tags } from './metrics.js';

/** As `workerData`. */
export interface VuData {
  /** From 1; 0 is the one that runs `setup`, `teardown` and `handleSummary`. */
  readonly id: number;
  readonly scriptUrl: string;
  readonly env: Readonly<Record<string, string>>;
  /** Requests go out here, and answers come back. */
  readonly http: MessagePort;
  /** One Int32, counted up and notified with each answer: a VU sleeps on it, because `http.post` returns the answer. */
  readonly answered: SharedArrayBuffer;
}

/** Of a scenario, for one iteration. */
export interface IterationPlace {
  readonly scenario: string;
  readonly executor: string;
  /** From 0, over the scenario. */
  readonly index: number;
  readonly tags: Tags;
}

export interface VuCall {
  /** The name of what the script exports. */
  readonly exported: string;
  readonly args: readonly unknown[];
  readonly place: IterationPlace | undefined;
}

export type FromVu =
  | {
      readonly type: 'ready';
      /** JSON of `options`, or undefined when the script has none. */
      readonly options: string | undefined;
      /** Names of the exported functions. */
      readonly exported: readonly string[];
      readonly metrics: readonly MetricDefinition[];
    }
  /** The script could not be loaded. */
  | { readonly type: 'unusable'; readonly error: string }
  | ({ readonly type: 'done' } & VuResult)
  | { readonly type: 'log'; readonly level: LogLevel; readonly text: string };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface VuResult {
  /** What the function returned, as JSON keeps it. */
  readonly value: unknown;
  /** With its stack, or undefined. */
  readonly error: string | undefined;
  /** What the script said to `test.abort`, or undefined. */
  readonly aborted: string | undefined;
  readonly samples: readonly Sample[];
  /** On the clock of `monotonicMs`. */
  readonly startedMs: number;
  readonly endedMs: number;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
  readonly timeoutMs: number;
  /** For the metrics of this request. */
  readonly tags: Tags;
}

export interface HttpAnswer {
  /** 0: there was none, and `error` says why. */
  readonly status: number;
  readonly statusText: string;
  /** Names as k6 writes them: `Content-Type`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly error: string;
  /** k6's number for `error`; 0 without one. */
  readonly errorCode: number;
  readonly timings: HttpTimings;
}

/** Milliseconds. */
export interface HttpTimings {
  /** Until a connection was there, its making included. */
  readonly blocked: number;
  /** From the request's sending to the first byte of the answer. */
  readonly waiting: number;
  readonly receiving: number;
  /** `waiting` and `receiving`. */
  readonly duration: number;
}

/** Milliseconds on one clock for all threads of the process, which `performance.now` is not. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
