/**
 * The bytes of an object as they come from an S3 server.
 *
 * The limit of silence counts only while the reader wants bytes: a reader that is slow, or paused for an hour, is no fault of the
 * server. What ends early is an error of the object store's, never a short object.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { S3TimeoutError } from './answers.js';

export class ObjectStream extends Readable {
  readonly #source: IncomingMessage;
  readonly #idleMs: number;
  readonly #toError: (error: unknown) => Error;
  #timer: NodeJS.Timeout | undefined;
  #wanted = false;

  /** @param toError makes it an error of the object store */
  constructor(source: IncomingMessage, idleMs: number, toError: (error: unknown) => Error) {
    super({ highWaterMark: 128 * 1024 });
    this.#source = source;
    this.#idleMs = idleMs;
    this.#toError = toError;
    source.on('readable', () => {
      if (this.#wanted) this.#pull();
    });
    source.once('end', () => this.push(null));
    source.on('error', (error) => this.destroy(error));
    if (source.errored !== null) this.destroy(source.errored);
  }

  override _read(): void {
    this.#pull();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#source.destroy();
    callback(error === null ? null : this.#toError(error));
  }

  #pull(): void {
    const chunk = this.#source.read() as Buffer | null;
    clearTimeout(this.#timer);
    this.#wanted = chunk === null;
    if (chunk !== null) {
      this.push(chunk);
      return;
    }
    this.#timer = setTimeout(() => {
      this.destroy(new S3TimeoutError(`silent for ${this.#idleMs} ms`));
    }, this.#idleMs);
  }
}
