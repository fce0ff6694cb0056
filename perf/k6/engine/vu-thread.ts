/** A VU as the main thread sees it: a worker thread that runs one call at a time, and whose requests are sent from here. */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { FromVu, HttpAnswer, HttpRequest, LogLevel, VuCall, VuData, VuResult } from './messages.js';

export interface VuSettings {
  readonly scriptUrl: string;
  readonly env: Readonly<Record<string, string>>;
  /** Never rejects. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  onLog(level: LogLevel, text: string): void;
  /** After each request. */
  onAnswer(request: HttpRequest, answer: HttpAnswer): void;
}

export type VuReady = Extract<FromVu, { readonly type: 'ready' }>;

/** The script cannot be loaded: the text has its stack. */
export class ScriptError extends Error {}
/** The thread was ended while it had a call. */
export class InterruptedError extends Error {}

const START_MS_MAX = 60_000;

export class VuThread {
  readonly id: number;
  readonly ready: VuReady;
  readonly #worker: Worker;
  #under: PendingCall | undefined;
  #ended: Error | undefined;

  private constructor(id: number, worker: Worker, ready: VuReady) {
    this.id = id;
    this.ready = ready;
    this.#worker = worker;
  }

  /** @throws ScriptError when the script cannot be loaded */
  static async start(id: number, settings: VuSettings): Promise<VuThread> {
    const { port1: here, port2: there } = new MessageChannel();
    const answered = new SharedArrayBuffer(4);
    const data: VuData = { id, scriptUrl: settings.scriptUrl, env: settings.env, http: there, answered };
    const worker = new Worker(new URL('./vu.js', import.meta.url), {
      workerData: data,
      transferList: [there],
      // The loader of the script is one of Node's experiments, of which it would warn.
      execArgv: ['--experimental-vm-modules', '--no-warnings'],
    });
    const count = new Int32Array(answered);
    here.on('message', async (request: HttpRequest) => {
      const answer = await settings.send(request);
      here.postMessage(answer);
      Atomics.add(count, 0, 1);
      Atomics.notify(count, 0);
      settings.onAnswer(request, answer);
    });
    let thread: VuThread | undefined;
    let timer: NodeJS.Timeout | undefined;
    const ready = await new Promise<VuReady>((resolve, reject) => {
      timer = setTimeout(
        () => reject(new ScriptError(`the script is not loaded after ${START_MS_MAX} ms`)),
        START_MS_MAX,
      );
      const over = (error: Error) => {
        reject(error);
        thread?.end(error);
        here.close();
      };
      worker.on('error', over);
      worker.on('exit', () => over(new InterruptedError(`VU ${id} has ended`)));
      worker.on('message', (message: FromVu) => {
        if (message.type === 'log') settings.onLog(message.level, message.text);
        else if (message.type === 'done') thread?.finish(message);
        else if (message.type === 'ready') resolve(message);
        else reject(new ScriptError(message.error));
      });
    })
      .catch(async (error: unknown) => {
        await worker.terminate();
        throw error;
      })
      .finally(() => clearTimeout(timer));
    thread = new VuThread(id, worker, ready);
    return thread;
  }

  /** One at a time. @throws InterruptedError when the thread is ended meanwhile */
  call(call: VuCall): Promise<VuResult> {
    if (this.#under !== undefined) throw new Error(`VU ${this.id} has a call already`);
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#under = { resolve, reject };
      this.#worker.postMessage(call);
    });
  }

  finish(result: VuResult): void {
    const under = this.#under;
    this.#under = undefined;
    under?.resolve(result);
  }

  end(error: Error): void {
    this.#ended ??= error;
    const under = this.#under;
    this.#under = undefined;
    under?.reject(error);
  }

  /** Ends the thread, whatever it does. */
  async kill(): Promise<void> {
    this.end(new InterruptedError(`VU ${this.id} was interrupted`));
    await this.#worker.terminate();
  }
}

interface PendingCall {
  resolve(result: VuResult): void;
  reject(error: Error): void;
}
