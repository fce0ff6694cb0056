/**
 * The thread's end of a stream: the chunks of a body, in their order, and how it ends.
 *
 * What has been taken goes back as credit, in portions, so that a chunk of a few bytes does not cost a message of its own.
 */
import type { MessagePort } from 'node:worker_threads';
import { IntakeAbortedError } from './errors.js';
import { WINDOW_BYTES } from './intake.js';
import type { FromThread, Room, ToThread } from './protocol.js';

const CREDIT_BYTES = WINDOW_BYTES / 8;

/**
 * - `coming`: there may be more
 * - `whole`: the client sent all of it
 * - `cut`: the client left before its end
 */
export type BodyEnd = 'coming' | 'whole' | 'cut';

export class Body {
  readonly #port: MessagePort;
  readonly #keepsWhenCut: boolean;
  readonly #chunks: Uint8Array[] = [];
  #owedBytes = 0;
  #end: BodyEnd = 'coming';
  #wake: () => void = () => {};

  /** @param keepsWhenCut what arrived before the client left is still handed out; otherwise nothing is, at once */
  constructor(port: MessagePort, keepsWhenCut: boolean) {
    this.#port = port;
    this.#keepsWhenCut = keepsWhenCut;
    port.on('message', (message: ToThread) => this.#take(message));
    port.on('close', () => this.#take({ type: 'abort' }));
    this.say({ type: 'opened' });
  }

  get end(): BodyEnd {
    return this.#end;
  }

  say(message: FromThread): void {
    this.#port.postMessage(message);
  }

  /** The next chunk, or undefined at the end. @throws IntakeAbortedError when it is cut and nothing of it is to be kept */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#end === 'cut' && !this.#keepsWhenCut) throw new IntakeAbortedError('the client left');
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#taken(chunk.byteLength);
        return chunk;
      }
      if (this.#end !== 'coming') return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** For a job without a body. @throws IntakeAbortedError when it has been given up */
  check(): void {
    if (this.#end === 'cut') throw new IntakeAbortedError('the upload was given up');
  }

  close(): void {
    this.#port.close();
  }

  #take(message: ToThread): void {
    if (message.type === 'chunk') this.#chunks.push(message.bytes);
    else if (message.type === 'end') this.#end = this.#end === 'cut' ? 'cut' : 'whole';
    else if (this.#end === 'coming' || !this.#keepsWhenCut) this.#end = 'cut';
    this.#wake();
  }

  /** The chunk before this one has been dealt with, or its receiver has room for more. */
  #taken(bytes: number): void {
    this.#owedBytes += bytes;
    if (this.#owedBytes < CREDIT_BYTES && this.#chunks.length > 0) return;
    this.say({ type: 'room', bytes: this.#owedBytes } satisfies Room);
    this.#owedBytes = 0;
  }
}
