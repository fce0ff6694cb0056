/**
 * The gateway's end of a stream: credit, and the one result.
 *
 * ```
 * writing --end()--> ended ---result---> settled
 *    `-----abort()--> aborted --result-----^
 *    `-----result or loss------------------^
 * ```
 * Settled, whatever is written is thrown away: a refusal comes while the client still sends.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import {
  ObjectNotFoundError,
  ObjectRefusedError,
  ObjectStoreUnavailableError,
} from '../../../storage/objects/errors.js';
import { IntakeAbortedError, IntakeFailedError, IntakeLostError } from './errors.js';
import { type AppendState, type IntakeResult, type IntakeStream, WINDOW_BYTES } from './intake.js';
import type { Chunk, FailureKind, FromThread, IntakeOutcome, ToThread } from './protocol.js';

/** From the task to the thread's first word: Piscina does not tell when a thread could not start at all. */
const START_MS_MAX = 30_000;

type Mode = 'writing' | 'ended' | 'aborted' | 'settled';

export class PortStream implements IntakeStream {
  readonly result: Promise<IntakeResult>;
  onRoom: () => void = () => {};
  onMultipart: (multipart: string) => void = () => {};
  readonly #port: MessagePort;
  #mode: Mode = 'writing';
  /** Written, and not taken by the thread yet. */
  #pendingBytes = 0;
  #full = false;
  #checkpoint: AppendState | undefined;

  /** @param run starts the task; its promise is the task's */
  constructor(port: MessagePort, run: () => Promise<IntakeOutcome>) {
    this.#port = port;
    const { promise: lost, reject } = withReject();
    const startLimit = setTimeout(
      () => reject(new IntakeLostError(`the thread of a stream did not start in ${START_MS_MAX} ms`)),
      START_MS_MAX,
    );
    port.on('message', (message: FromThread) => {
      if (message.type === 'opened') clearTimeout(startLimit);
      this.#take(message);
    });
    this.result = Promise.race([this.#outcome(run), lost]).finally(() => {
      clearTimeout(startLimit);
      this.#mode = 'settled';
      // The result came by another way, and may have overtaken the last checkpoint.
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
        this.#take(next.message as FromThread);
      }
      port.close();
      // Who waits for room has nothing to wait for any more.
      if (this.#full) this.#room(this.#pendingBytes);
    });
    // Whoever gave the stream up need not look at its end.
    this.result.catch(() => {});
  }

  get checkpoint(): AppendState | undefined {
    return this.#checkpoint;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#mode === 'settled' || this.#mode === 'aborted') return true;
    if (this.#mode !== 'writing') throw new TypeError(`a stream that is ${this.#mode} takes no bytes`);
    if (chunk.byteLength === 0) return !this.#full;
    this.#pendingBytes += chunk.byteLength;
    this.#port.postMessage({ type: 'chunk', bytes: chunk } satisfies Chunk, [chunk.buffer as ArrayBuffer]);
    this.#full = this.#pendingBytes >= WINDOW_BYTES;
    return !this.#full;
  }

  end(): void {
    if (this.#mode !== 'writing') return;
    this.#mode = 'ended';
    this.#say({ type: 'end' });
  }

  abort(): void {
    if (this.#mode !== 'writing' && this.#mode !== 'ended') return;
    this.#mode = 'aborted';
    this.#say({ type: 'abort' });
  }

  #say(message: ToThread): void {
    this.#port.postMessage(message);
  }

  #take(message: FromThread): void {
    if (message.type === 'room') this.#room(message.bytes);
    else if (message.type === 'multipart') this.onMultipart(message.multipart);
    else if (message.type === 'checkpoint') this.#checkpoint = message.state;
  }

  #room(bytes: number): void {
    this.#pendingBytes -= bytes;
    if (!this.#full || this.#pendingBytes > WINDOW_BYTES / 2) return;
    this.#full = false;
    this.onRoom();
  }

  async #outcome(run: () => Promise<IntakeOutcome>): Promise<IntakeResult> {
    let outcome: IntakeOutcome;
    try {
      outcome = await run();
    } catch (error) {
      throw new IntakeLostError('the thread of a stream ended', { cause: error });
    }
    if (outcome.type === 'result') return outcome.result;
    throw errorOf(outcome.kind, outcome.message);
  }
}

function withReject(): { readonly promise: Promise<never>; readonly reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<never>((_, given) => {
    reject = given;
  });
  return { promise, reject };
}

function errorOf(kind: FailureKind, message: string): Error {
  switch (kind) {
    case 'aborted':
      return new IntakeAbortedError(message);
    case 'unavailable':
      return new ObjectStoreUnavailableError(message);
    case 'not-found':
      return new ObjectNotFoundError(message);
    case 'refused':
      return new ObjectRefusedError(message);
    case 'failed':
      return new IntakeFailedError(message);
  }
}
