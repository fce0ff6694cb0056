/**
 * The bytes of a record, one record to a file.
 *
 * ```
 * 0 'TTHR'   4 version u8   5 crc-32 u32 (little endian), of the version and all that follows   9 msgpack array: the fields
 * ```
 *
 * A file gets its name when all of it is on the disk (`record-files.ts`), so that no crash leaves a part of one: whatever does
 * not fit its checksum is damage.
 */
import { crc32 } from 'node:zlib';
import { Packr } from 'msgpackr';
import { asError } from '../../runtime/failure.js';
import { FolderDamagedError, FolderFormatError } from './errors.js';

const MAGIC = Buffer.from('TTHR', 'latin1');
const VERSION = 1;
const VERSION_AT = 4;
const CRC_AT = 5;
const HEAD_BYTES = 9;
// As in runtime/envelope.ts: each file must stand alone.
const packr = new Packr({ useRecords: false });

export type Field = string | number | null | Uint8Array;

export function encodeRecord(fields: readonly Field[]): Buffer {
  const body = packr.pack(fields);
  const bytes = Buffer.alloc(HEAD_BYTES + body.length);
  MAGIC.copy(bytes);
  bytes[VERSION_AT] = VERSION;
  body.copy(bytes, HEAD_BYTES);
  bytes.writeUInt32LE(checksum(bytes), CRC_AT);
  return bytes;
}

/** @throws FolderDamagedError, FolderFormatError */
export function decodeRecord(path: string, bytes: Buffer): readonly unknown[] {
  if (bytes.length <= HEAD_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new FolderDamagedError(path, `its ${bytes.length} bytes are no record`);
  }
  if (bytes.readUInt32LE(CRC_AT) !== checksum(bytes)) {
    throw new FolderDamagedError(path, 'it does not fit its checksum');
  }
  if (bytes[VERSION_AT] !== VERSION) {
    throw new FolderFormatError(`${path} has version ${bytes[VERSION_AT]} of the format`);
  }
  let fields: unknown;
  try {
    fields = packr.unpack(bytes.subarray(HEAD_BYTES));
  } catch (error) {
    throw new FolderDamagedError(path, `it is no msgpack: ${asError(error).message}`);
  }
  if (!Array.isArray(fields)) throw new FolderDamagedError(path, 'it holds no array');
  return fields;
}

function checksum(bytes: Buffer): number {
  return crc32(bytes.subarray(HEAD_BYTES), bytes[VERSION_AT] ?? 0);
}

/** Takes fields of known types out of a record, in order. */
export class FieldReader {
  readonly #path: string;
  readonly #fields: readonly unknown[];
  #at = 0;

  constructor(path: string, fields: readonly unknown[]) {
    this.#path = path;
    this.#fields = fields;
  }

  text(): string {
    const field = this.#fields[this.#at++];
    return typeof field === 'string' ? field : this.#wrong('text');
  }

  number(): number {
    const field = this.#fields[this.#at++];
    return typeof field === 'number' ? field : this.#wrong('number');
  }

  numberOrNone(): number | undefined {
    if (this.#fields[this.#at] !== null) return this.number();
    this.#at++;
    return undefined;
  }

  bytes(): Uint8Array {
    const field = this.#fields[this.#at++];
    return field instanceof Uint8Array ? field : this.#wrong('byte string');
  }

  /** Whether there are more: fields that a record had from a later release on. */
  get more(): boolean {
    return this.#at < this.#fields.length;
  }

  end(): void {
    if (this.#at !== this.#fields.length) this.#wrong('end');
  }

  #wrong(wanted: string): never {
    throw new FolderDamagedError(this.#path, `field ${this.#at} of its record is no ${wanted}`);
  }
}
