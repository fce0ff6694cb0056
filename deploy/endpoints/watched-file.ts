/**
 * The endpoints file while a node runs: looked at every second, with the files that it refers to, and read anew when their content has changed.
 *
 * Promises:
 * - a file is taken as a whole or not at all: with a problem in it, what was read before is served on, and the problems are told
 * - it is read when two looks in a row saw the same content: of a file that is just being written, half may look right
 * - it is the content that counts: that a file was replaced by another or by a link, as editors and Kubernetes do, makes no difference
 * - `reload` reads it at once, changed or not
 *
 * Modes: new -> watching -> stopped.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { GatewayOptionError } from '../../gateway/errors.js';
import type { Clock } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/logger.js';
import { within } from '../../runtime/within.js';
import type { EndpointReader, Read } from './reader.js';

interface WatchedFileOptions {
  readonly file: string;
  readonly reader: Pick<EndpointReader, 'readFile'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What stands in it by now. @throws GatewayOptionError when it cannot be served */
  onRead(read: Pick<Read, 'endpoints' | 'targets'>): Promise<void>;
}

const LOOK_MS = 1_000;
/** A file system that hangs holds up no drain. */
const STOP_MS_MAX = 2_000;

class WatchedFile {
  readonly #options: WatchedFileOptions;
  #mode: 'new' | 'watching' | 'stopped' = 'new';
  /** What it refers to, as of the last time that it was read. */
  #files: readonly string[] = [];
  /** The digest of the last look, and of what was read last. */
  #seen: string | undefined;
  #read: string | undefined;
  #turn: Promise<void> = Promise.resolve();
  #cancelLook = () => {};
  /** Times that it was read since the start, and what came of it. */
  taken = 0;
  refused = 0;
  /** Why what stands in it is not served. */
  problems: readonly string[] = [];
  /** When it was taken last; milliseconds since the epoch. */
  readAt: number;

  /** It was read just now, and taken. */
  constructor(options: WatchedFileOptions) {
    this.#options = options;
    this.readAt = options.clock.now();
  }

  get path(): string {
    return this.#options.file;
  }

  /** Reads it at once: it may have changed since it was read for the configuration. */
  start(): void {
    if (this.#mode !== 'new') throw new Error(`a file that is ${this.#mode} cannot be watched`);
    this.#mode = 'watching';
    void this.#inTurn(() => this.#look(true)).then(() => this.#lookLater());
  }

  async reload(): Promise<void> {
    await this.#inTurn(async () => this.#take(await this.#digest(), false));
  }

  async stop(): Promise<void> {
    this.#mode = 'stopped';
    this.#cancelLook();
    await within(this.#options.clock, STOP_MS_MAX, this.#turn);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch((error: unknown) => {
      this.#options.logger.error({ err: error }, 'the endpoints file could not be looked at');
    });
    return done;
  }

  #lookLater(): void {
    if (this.#mode !== 'watching') return;
    this.#cancelLook = this.#options.clock.after(LOOK_MS, () => {
      void this.#inTurn(() => this.#look(false)).finally(() => this.#lookLater());
    });
  }

  async #look(isFirst: boolean): Promise<void> {
    const digest = await this.#digest();
    const isSteady = digest === this.#seen || isFirst;
    this.#seen = digest;
    if (isSteady && digest !== this.#read) await this.#take(digest, isFirst);
  }

  /** @param digest made before it is read: what is written meanwhile has another one */
  async #take(digest: string, isFirst: boolean): Promise<void> {
    if (this.#mode === 'stopped') return;
    const { file, reader, logger, clock, onRead } = this.#options;
    this.#read = digest;
    let read = await reader.readFile(file);
    if (!isDeepStrictEqual(read.files, this.#files)) {
      // What it refers to belongs to the digest.
      this.#files = read.files;
      this.#read = await this.#digest();
      read = await reader.readFile(file);
    }
    this.#seen = this.#read;
    let found = read.problems;
    if (found.length === 0) {
      try {
        await onRead(read);
      } catch (error) {
        if (!(error instanceof GatewayOptionError)) throw error;
        found = [`${file}: ${error.message}`];
      }
    }
    this.problems = found;
    if (found.length > 0) {
      this.refused++;
      logger.error(
        { file, problems: found },
        'the endpoints file is refused; what was read before is served on',
      );
      return;
    }
    if (!isFirst) this.taken++;
    this.readAt = clock.now();
  }

  /** Of the content of all of them, or of why there is none. */
  async #digest(): Promise<string> {
    const hash = createHash('sha256');
    for (const path of [this.#options.file, ...this.#files]) {
      const content = await readFile(path).catch((error: unknown) => Buffer.from(`cannot be read: ${error}`));
      hash.update(`${path.length}:${content.length}:${path}`).update(content);
    }
    return hash.digest('hex');
  }
}

export { WatchedFile };
