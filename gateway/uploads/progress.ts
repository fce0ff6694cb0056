/**
 * Streams of progress: what the clients that listen to an upload are told, and when.
 *
 * One poller asks Postgres for all uploads that somebody listens to, every `pollMs`, while there are streams and never twice at once. A
 * stream is one of snapshots: who reads slowly is told fewer states, and each of them is whole.
 *
 * A stream ends
 * - after the upload's final state, which is told as `end`; when the upload has been removed, without a word
 * - when the gateway drains, and after `streamMsMax`, so that a token which has been revoked counts: the client comes again by itself
 * - when the client has left
 * While Postgres is away it stays, and goes on later.
 */
import { isFinal, type Upload } from '../../actors/upload/model.js';
import type { Uploads } from '../../actors/upload/uploads.js';
import { asError } from '../../runtime/failure.js';
import type { Logger } from '../../runtime/logger.js';
import type { ResponseStream } from '../response-stream.js';
import { uploadJson } from './json.js';

export interface ProgressOptions {
  readonly pollMs: number;
  /** After so long without an event a comment is sent: proxies cut what is silent. */
  readonly heartbeatMs: number;
  readonly streamMsMax: number;
  readonly streamsMax: number;
  /** So that one client leaves room for others. */
  readonly clientStreamsMax: number;
}

export const PROGRESS_DEFAULTS: ProgressOptions = {
  pollMs: 500,
  heartbeatMs: 15_000,
  streamMsMax: 15 * 60_000,
  streamsMax: 1_000,
  clientStreamsMax: 200,
};

interface Listener {
  /** The name of the client. */
  readonly client: string;
  readonly id: string;
  readonly stream: ResponseStream;
  readonly untilMs: number;
  /** Of the last state that the client was told, or knew. */
  version: number;
  writtenMs: number;
}

interface ProgressParts {
  readonly uploads: Pick<Uploads, 'getMany'>;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Asks the client to come again after 2 s when a stream ends. */
const HELLO = 'retry: 2000\n\n';
const COMMENT = Buffer.from(':\n\n');

export class Progress {
  readonly #parts: ProgressParts;
  readonly #options: ProgressOptions;
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;

  constructor(parts: ProgressParts, options: ProgressOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  hasRoomFor(client: string): boolean {
    const { streamsMax, clientStreamsMax } = this.#options;
    if (this.#listeners.size >= streamsMax) return false;
    let own = 0;
    for (const listener of this.#listeners) if (listener.client === client) own++;
    return own < clientStreamsMax;
  }

  /** @param knownVersion of the state that the client has seen already; 0: none */
  add(client: string, stream: ResponseStream, upload: Upload, knownVersion: number): void {
    const nowMs = this.#parts.now();
    const listener: Listener = {
      client,
      id: upload.id,
      stream,
      untilMs: nowMs + this.#options.streamMsMax,
      version: knownVersion,
      writtenMs: nowMs,
    };
    this.#listeners.add(listener);
    stream.onRoom = () => {
      if (!stream.isOpen) this.#remove(listener);
      // What uWebSockets.js has kept goes out with the next write only.
      else stream.write(COMMENT);
    };
    stream.write(Buffer.from(HELLO));
    this.#tell(listener, upload, nowMs, eventOf(upload, nowMs));
    if (this.#listeners.size > 0) this.#timer ??= setInterval(() => this.#tick(), this.#options.pollMs);
  }

  endAll(): void {
    for (const listener of [...this.#listeners]) this.#end(listener);
  }

  #tick(): void {
    const nowMs = this.#parts.now();
    for (const listener of [...this.#listeners]) {
      if (nowMs >= listener.untilMs) this.#end(listener);
      else if (nowMs - listener.writtenMs >= this.#options.heartbeatMs) this.#write(listener, COMMENT, nowMs);
    }
    if (this.#isAsking || this.#listeners.size === 0) return;
    this.#isAsking = true;
    this.#ask()
      .catch((error: unknown) => {
        this.#parts.logger.debug({ error: asError(error).message }, 'progress is not known now');
      })
      .finally(() => {
        this.#isAsking = false;
      });
  }

  async #ask(): Promise<void> {
    // Who comes meanwhile has a state as new as the answer, and an upload that the answer does not know.
    const asked = [...this.#listeners];
    const found = await this.#parts.uploads.getMany([...new Set(asked.map(({ id }) => id))]);
    const nowMs = this.#parts.now();
    const byId = new Map(found.map((upload) => [upload.id, { upload, event: eventOf(upload, nowMs) }]));
    for (const listener of asked) {
      const known = byId.get(listener.id);
      if (known === undefined) this.#end(listener);
      else this.#tell(listener, known.upload, nowMs, known.event);
    }
  }

  #tell(listener: Listener, upload: Upload, nowMs: number, event: Buffer): void {
    if (upload.version <= listener.version || !this.#write(listener, event, nowMs)) return;
    listener.version = upload.version;
    if (isFinal(upload.state)) this.#end(listener);
  }

  /** False: there is no room now. */
  #write(listener: Listener, bytes: Buffer, nowMs: number): boolean {
    if (!listener.stream.isOpen || listener.stream.isFull) return false;
    listener.writtenMs = nowMs;
    listener.stream.write(bytes);
    return true;
  }

  #end(listener: Listener): void {
    this.#remove(listener);
    listener.stream.end();
  }

  #remove(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** The JSON has no line break: one `data` line holds it. */
function eventOf(upload: Upload, nowMs: number): Buffer {
  const type = isFinal(upload.state) ? 'end' : 'progress';
  return Buffer.from(
    `id: ${upload.version}\nevent: ${type}\ndata: ${JSON.stringify(uploadJson(upload, nowMs))}\n\n`,
  );
}
