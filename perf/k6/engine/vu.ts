/**
 * The thread of one VU: loads the script, and runs what it is told to, one call after the other. `http.post` returns the answer, so the thread sleeps on
 * an atomic while the main thread does the I/O; that is why each VU is a thread.
 */
import { inspect } from 'node:util';
import { isNativeError } from 'node:util/types';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import {
  type FromVu,
  type HttpAnswer,
  type HttpRequest,
  type IterationPlace,
  type LogLevel,
  monotonicMs,
  type VuCall,
  type VuData,
  type VuResult,
} from './messages.js';
import type { MetricDefinition, Sample, Tags } from './metrics.js';
import { createModules, TestAbortedError, type VuHost } from './modules.js';
import { loadScript, type Script } from './script.js';

/** Beyond a request's own time: then the main thread is at fault. */
const ANSWER_MS_MAX = 10_000;
const SLEEP_MS_MAX = 3_600_000;

const data = workerData as VuData;
const answered = new Int32Array(data.answered);
const nobody = new Int32Array(new SharedArrayBuffer(4));

class Vu implements VuHost {
  readonly id = data.id;
  place: IterationPlace | undefined;
  isInit = true;
  /** -1: none has run. */
  iteration = -1;
  readonly metrics: MetricDefinition[] = [];
  #samples: Sample[] = [];

  send(request: HttpRequest): HttpAnswer {
    data.http.postMessage({ ...request, tags: this.#tagged(request.tags) });
    const deadlineMs = monotonicMs() + request.timeoutMs + ANSWER_MS_MAX;
    for (;;) {
      const before = Atomics.load(answered, 0);
      const received = receiveMessageOnPort(data.http);
      if (received !== undefined) return received.message as HttpAnswer;
      const leftMs = deadlineMs - monotonicMs();
      if (leftMs <= 0) throw new Error('the main thread does not answer');
      Atomics.wait(answered, 0, before, leftMs);
    }
  }

  sleep(ms: number): void {
    if (ms > 0) Atomics.wait(nobody, 0, 0, Math.min(ms, SLEEP_MS_MAX));
  }

  define(metric: MetricDefinition): void {
    this.metrics.push(metric);
  }

  sample(metric: string, value: number, tags: Tags): void {
    this.#samples.push({ metric, value, tags: this.#tagged(tags) });
  }

  async call(script: Script, { exported, args, place }: VuCall): Promise<VuResult> {
    this.place = place;
    this.#samples = [];
    if (place !== undefined) {
      this.iteration += 1;
      script.set('__ITER', this.iteration);
    }
    let value: unknown;
    let error: string | undefined;
    let aborted: string | undefined;
    const startedMs = monotonicMs();
    try {
      const run = script.exports[exported];
      if (typeof run !== 'function') throw new Error(`the script exports no function ${exported}`);
      value = plain(await run(...args));
    } catch (thrown) {
      if (thrown instanceof TestAbortedError) aborted = thrown.message;
      else error = textOf(thrown);
    }
    return { value, error, aborted, samples: this.#samples, startedMs, endedMs: monotonicMs() };
  }

  #tagged(tags: Tags): Tags {
    return this.place === undefined ? tags : { ...this.place.tags, scenario: this.place.scenario, ...tags };
  }
}

/** k6 hands results on as JSON; an ArrayBuffer in what handleSummary returns is not among them here. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value) ?? 'null');
}

/** An error of the script is one of another realm, and no `instanceof Error` here. */
function textOf(thrown: unknown): string {
  return isNativeError(thrown) ? (thrown.stack ?? thrown.message) : inspect(thrown);
}

function tell(message: FromVu): void {
  parentPort?.postMessage(message);
}

function consoleOf(): Readonly<Record<string, unknown>> {
  const at =
    (level: LogLevel) =>
    (...values: readonly unknown[]) =>
      tell({
        type: 'log',
        level,
        text: values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' '),
      });
  return { debug: at('debug'), log: at('info'), info: at('info'), warn: at('warn'), error: at('error') };
}

const vu = new Vu();
try {
  const globals = { console: consoleOf(), __ENV: { ...data.env }, __VU: data.id, __ITER: 0 };
  const script = await loadScript(data.scriptUrl, createModules(vu), globals);
  vu.isInit = false;
  const { options } = script.exports;
  tell({
    type: 'ready',
    options: options === undefined ? undefined : JSON.stringify(options),
    exported: Object.keys(script.exports).filter((name) => typeof script.exports[name] === 'function'),
    metrics: vu.metrics,
  });
  parentPort?.on('message', async (call: VuCall) => {
    tell({ type: 'done', ...(await vu.call(script, call)) });
  });
} catch (thrown) {
  tell({ type: 'unusable', error: textOf(thrown) });
}
