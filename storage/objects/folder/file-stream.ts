/** Bytes of a file that is open already, in chunks of 128 KiB. It closes the file; what the disk refuses is an error of the object store. */
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';

const CHUNK_BYTES = 128 * 1024;

export class FileStream extends Readable {
  readonly #file: FileHandle;
  readonly #end: number;
  readonly #toError: (error: unknown) => Error;
  #position: number;

  /** @param end exclusive, not behind the file's end */
  constructor(file: FileHandle, start: number, end: number, toError: (error: unknown) => Error) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#file = file;
    this.#position = start;
    this.#end = end;
    this.#toError = toError;
  }

  override _read(): void {
    const wanted = Math.min(CHUNK_BYTES, this.#end - this.#position);
    if (wanted <= 0) {
      this.push(null);
      return;
    }
    this.#file.read(Buffer.allocUnsafeSlow(wanted), 0, wanted, this.#position).then(
      ({ bytesRead, buffer }) => {
        this.#position += bytesRead;
        if (bytesRead === 0) this.destroy(new Error('the file has become shorter'));
        else this.push(buffer.subarray(0, bytesRead));
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const failure = error === null ? null : this.#toError(error);
    this.#file.close().then(
      () => callback(failure),
      (closing) => callback(failure ?? this.#toError(closing)),
    );
  }
}
