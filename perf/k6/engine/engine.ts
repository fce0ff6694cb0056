/** One run of a script under Node, from its loading to the exit code, as `k6 run` goes about it. */

import { runScenario, SYSTEM_CLOCK, type World } from './executors.js';
import { EXIT } from './exit-codes.js';
import { HttpClient } from './http-client.js';
import { type HttpAnswer, type HttpRequest, monotonicMs, type VuResult } from './messages.js';
import { Metrics, MetricsError, type Sample } from './metrics.js';
import { OptionsError, parseOptions, type RunOptions, type Scenario } from './options.js';
import { type Checked, summaryOf, writeSummary } from './summary.js';
import { abortingNow, parseThresholds, type Threshold } from './thresholds.js';
import { Trend } from './trend.js';
import { VuPool } from './vu-pool.js';
import { InterruptedError, ScriptError, type VuSettings, VuThread } from './vu-thread.js';

export interface TestRun {
  readonly scriptUrl: string;
  /** `__ENV` of the script. */
  readonly env: Readonly<Record<string, string>>;
  /** Ctrl-C: the run ends, and its summary is shown. */
  readonly signal: AbortSignal;
  /** Shows how far it is. */
  readonly showProgress: boolean;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** As often k6 looks at `abortOnFail`. */
const THRESHOLDS_MS = 2_000;
const PROGRESS_MS = 10_000;
const GAUGE_MS = 1_000;
const SUMMARY_MS_MAX = 120_000;
/** Errors of a script are shown so many times: at a thousand a second the rest says nothing new. */
const ERRORS_SHOWN_MAX = 10;
/** Iterations that start later than this are the load generator's fault, and the figures are partly its own. */
const LATE_MS_P99 = 10;

/** @returns the exit code, of `EXIT` */
export async function runTest(test: TestRun): Promise<number> {
  const run = new Run(test);
  const onSignal = () => run.stop(EXIT.interrupted, 'interrupted');
  test.signal.addEventListener('abort', onSignal);
  try {
    if (test.signal.aborted) onSignal();
    return await run.toEnd();
  } finally {
    test.signal.removeEventListener('abort', onSignal);
    await run.close();
  }
}

interface Plan extends RunOptions {
  readonly parsed: readonly Threshold[];
  readonly exported: readonly string[];
  readonly vusPlanned: number;
  readonly vusMax: number;
}

class Run {
  readonly #test: TestRun;
  readonly #metrics = new Metrics();
  readonly #checks = new Map<string, Checked>();
  readonly #stopping = new AbortController();
  /** How late iterations started, milliseconds. */
  readonly #late = new Trend();
  readonly #settings: VuSettings;
  #client = new HttpClient(1);
  #control: VuThread | undefined;
  #pool: VuPool | undefined;
  /** The exit code of what ended the run early. */
  #stopped: number | undefined;
  #iterations = 0;
  #interrupted = 0;
  #dropped = 0;
  #errors = 0;

  constructor(test: TestRun) {
    this.#test = test;
    this.#settings = {
      scriptUrl: test.scriptUrl,
      env: test.env,
      send: (request) => this.#client.send(request),
      onLog: (level, text) => this.#say(`${level}: ${text}`),
      onAnswer: (request, answer) => this.#count(request, answer),
    };
  }

  /** The first reason counts. */
  stop(code: number, reason: string): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = code;
    this.#say(`stopping: ${reason}`);
    this.#stopping.abort();
  }

  async toEnd(): Promise<number> {
    const plan = await this.#plan();
    if (plan === undefined) return this.#stopCode() ?? EXIT.engine;
    const beganMs = monotonicMs();
    const setupData = plan.exported.includes('setup')
      ? await this.#once('setup', [], plan.setupTimeoutMs, EXIT.setupTimeout)
      : undefined;
    const early = this.#stopCode();
    if (early !== undefined) return early;
    await this.#runScenarios(plan, setupData, monotonicMs());
    if (plan.exported.includes('teardown'))
      await this.#once('teardown', [setupData], plan.teardownTimeoutMs, EXIT.teardownTimeout);
    const durationMs = monotonicMs() - beganMs;
    await this.#summarise(plan, setupData, durationMs);
    const stopped = this.#stopCode();
    if (stopped !== undefined) return stopped;
    const crossed = plan.parsed.filter((threshold) => !threshold.holds(durationMs / 1_000));
    for (const { selector, source } of crossed) this.#say(`threshold crossed: ${selector} ${source}`);
    return crossed.length === 0 ? EXIT.ok : EXIT.thresholds;
  }

  #stopCode(): number | undefined {
    return this.#stopped;
  }

  async close(): Promise<void> {
    await Promise.all([this.#control?.kill(), this.#pool?.close()]);
    await this.#client.close();
  }

  /** Undefined: it has been said why there is none. */
  async #plan(): Promise<Plan | undefined> {
    try {
      const { ready } = await this.#controlThread();
      const options = parseOptions(ready.options === undefined ? {} : JSON.parse(ready.options));
      for (const metric of ready.metrics) this.#metrics.define(metric);
      const parsed = parseThresholds(options.thresholds, this.#metrics);
      const missing = options.scenarios.find((scenario) => !ready.exported.includes(scenario.exec));
      if (missing !== undefined)
        throw new OptionsError(`scenario ${missing.name}: the script exports no function ${missing.exec}`);
      const sum = (of: (scenario: Scenario) => number) =>
        options.scenarios.reduce((total, scenario) => total + of(scenario), 0);
      const vusPlanned = sum((one) => ('preAllocatedVus' in one ? one.preAllocatedVus : one.vus));
      const vusMax = sum((one) => ('maxVus' in one ? one.maxVus : one.vus));
      this.#client = new HttpClient(vusMax + 1);
      this.#pool = new VuPool(this.#settings, vusMax);
      await this.#pool.start(vusPlanned);
      return { ...options, parsed, exported: ready.exported, vusPlanned, vusMax };
    } catch (error) {
      if (error instanceof ScriptError) this.stop(EXIT.scriptException, error.message);
      else if (error instanceof OptionsError || error instanceof MetricsError)
        this.stop(EXIT.invalidConfig, error.message);
      else throw error;
      return undefined;
    }
  }

  async #runScenarios(plan: Plan, setupData: unknown, startedMs: number): Promise<void> {
    const pool = this.#pool;
    if (pool === undefined) throw new Error('there are no VUs yet');
    const { signal } = this.#stopping;
    const gauges = () => {
      this.#metrics.add('vus', pool.busy, {});
      this.#metrics.add('vus_max', pool.size, {});
    };
    const timers = [
      setInterval(gauges, GAUGE_MS),
      setInterval(() => this.#lookAtThresholds(plan, monotonicMs() - startedMs), THRESHOLDS_MS),
      setInterval(() => this.#showProgress(monotonicMs() - startedMs, pool), PROGRESS_MS),
    ];
    const world: World<VuThread> = {
      clock: SYSTEM_CLOCK(monotonicMs),
      startedMs,
      signal,
      take: () => pool.take(),
      give: (vu) => pool.give(vu),
      grow: () => pool.grow(),
      run: (vu, scenario, index, dueMs) => this.#iterate(pool, vu, scenario, index, dueMs, setupData),
      kill: (vu) => void vu.kill(),
      onDropped: (scenario) => {
        this.#dropped += 1;
        this.#metrics.add('dropped_iterations', 1, { ...scenario.tags, scenario: scenario.name });
      },
    };
    try {
      await Promise.all(plan.scenarios.map((scenario) => runScenario(scenario, world)));
      gauges();
    } finally {
      for (const timer of timers) clearInterval(timer);
    }
  }

  async #iterate(
    pool: VuPool,
    vu: VuThread,
    scenario: Scenario,
    index: number,
    dueMs: number,
    setupData: unknown,
  ): Promise<void> {
    const { name, executor, exec, tags } = scenario;
    try {
      const result = await vu.call({
        exported: exec,
        args: [setupData],
        place: { scenario: name, executor, index, tags },
      });
      const own = { ...tags, scenario: name };
      this.#iterations += 1;
      this.#late.add(Math.max(0, result.startedMs - dueMs));
      this.#metrics.add('iterations', 1, own);
      this.#metrics.add('iteration_duration', result.endedMs - result.startedMs, own);
      this.#take(result);
    } catch (error) {
      pool.forget(vu);
      if (error instanceof InterruptedError) this.#interrupted += 1;
      else this.#sayError(String(error));
    }
  }

  /** setup or teardown. @returns what it returned, or undefined when the run is stopped by it */
  async #once(
    exported: string,
    args: readonly unknown[],
    msMax: number,
    timeoutCode: number,
  ): Promise<unknown> {
    const result = await this.#call(exported, args, msMax);
    if (result === undefined) this.stop(timeoutCode, `${exported} took more than ${msMax} ms`);
    else if (result.error !== undefined) this.stop(EXIT.scriptException, `${exported}: ${result.error}`);
    else this.#take(result);
    return result?.value;
  }

  /** On the thread that has no iterations. Undefined: it took too long, and was killed. */
  async #call(exported: string, args: readonly unknown[], msMax: number): Promise<VuResult | undefined> {
    const control = await this.#controlThread();
    const timer = setTimeout(() => void control.kill(), msMax);
    try {
      return await control.call({ exported, args, place: undefined });
    } catch (error) {
      if (!(error instanceof InterruptedError)) throw error;
      this.#control = undefined;
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  async #controlThread(): Promise<VuThread> {
    this.#control ??= await VuThread.start(0, this.#settings);
    return this.#control;
  }

  async #summarise(plan: Plan, setupData: unknown, durationMs: number): Promise<void> {
    const { sentBytes, receivedBytes } = this.#client.traffic;
    this.#metrics.add('data_sent', sentBytes, {});
    this.#metrics.add('data_received', receivedBytes, {});
    const data = summaryOf({
      metrics: this.#metrics,
      thresholds: plan.parsed,
      checks: this.#checks,
      trendStats: plan.summaryTrendStats,
      durationMs,
      setupData,
      terminals: { stdout: process.stdout.isTTY === true, stderr: process.stderr.isTTY === true },
    });
    const show = { stdout: this.#test.stdout, stderr: this.#test.stderr };
    const handled = plan.exported.includes('handleSummary')
      ? await this.#call('handleSummary', [data], SUMMARY_MS_MAX)
      : undefined;
    if (handled?.error !== undefined) this.#say(`handleSummary: ${handled.error}`);
    // There is nothing that shows it nicer here.
    if (handled === undefined || handled.error !== undefined)
      show.stdout(`${JSON.stringify(data, undefined, 2)}\n`);
    else writeSummary(handled.value, show);
    this.#sayOfItself();
  }

  /** What tells whether the figures are those of the node or of this load generator. */
  #sayOfItself(): void {
    const p99 = this.#late.percentile(99);
    const text = `iterations started ${this.#late.avg.toFixed(1)} ms after they were due on average, p99 ${p99.toFixed(1)} ms`;
    const doubt =
      p99 > LATE_MS_P99 ? ': this process has too little CPU, and latencies are partly its own' : '';
    this.#say(`${text}${doubt}`);
    if (this.#dropped > 0)
      this.#say(`${this.#dropped} iterations were dropped because no VU was free: the rate was not reached`);
    if (this.#interrupted > 0) this.#say(`${this.#interrupted} iterations were interrupted`);
    if (this.#errors > ERRORS_SHOWN_MAX) this.#say(`${this.#errors} iterations threw an error`);
  }

  #take({ samples, error, aborted }: VuResult): void {
    for (const sample of samples) this.#add(sample);
    if (error !== undefined) this.#sayError(error);
    if (aborted !== undefined) this.stop(EXIT.scriptAborted, aborted);
  }

  #add({ metric, value, tags }: Sample): void {
    this.#metrics.add(metric, value, tags);
    if (metric !== 'checks' || tags.check === undefined) return;
    const counts = this.#checks.get(tags.check) ?? { passes: 0, fails: 0 };
    counts[value === 0 ? 'fails' : 'passes'] += 1;
    this.#checks.set(tags.check, counts);
  }

  #count(request: HttpRequest, { status, timings }: HttpAnswer): void {
    const expected = status >= 200 && status < 400;
    const tags = {
      method: request.method,
      name: request.url,
      url: request.url,
      ...request.tags,
      status: String(status),
      expected_response: String(expected),
    };
    const metrics = this.#metrics;
    metrics.add('http_reqs', 1, tags);
    metrics.add('http_req_failed', expected ? 0 : 1, tags);
    metrics.add('http_req_duration', timings.duration, tags);
    metrics.add('http_req_blocked', timings.blocked, tags);
    metrics.add('http_req_waiting', timings.waiting, tags);
    metrics.add('http_req_receiving', timings.receiving, tags);
  }

  #lookAtThresholds({ parsed }: Plan, elapsedMs: number): void {
    for (const { selector, source } of abortingNow(parsed, elapsedMs))
      this.stop(EXIT.thresholds, `threshold crossed: ${selector} ${source}`);
  }

  #showProgress(elapsedMs: number, pool: VuPool): void {
    if (!this.#test.showProgress) return;
    const seconds = Math.round(elapsedMs / 1_000);
    this.#say(
      `${seconds} s: ${this.#iterations} iterations, ${this.#dropped} dropped, ${pool.busy} of ${pool.size} VUs busy`,
    );
  }

  #sayError(text: string): void {
    this.#errors += 1;
    if (this.#errors <= ERRORS_SHOWN_MAX) this.#say(`error: ${text}`);
  }

  #say(text: string): void {
    this.#test.stderr(`${text}\n`);
  }
}
