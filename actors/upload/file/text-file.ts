/**
 * csv and its relatives, read in chunks of complete records.
 *
 * A chunk is what lies in memory when at least `CHUNK_BYTES` have come, up to its last complete record. What a row is does not depend on
 * where the chunks end.
 */
import { unitBytes, unitsOf } from './encoding.js';
import { FileError } from './errors.js';
import { parseRecords } from './fields.js';
import { RECORD_BYTES_MAX } from './limits.js';
import { findRecords } from './records.js';
import type { ByteSource, Piece, Position, TableDescription, TableFile } from './table-file.js';
import { ByteWindow, readChunks } from './window.js';

const CHUNK_BYTES = 64 * 1024;

type TextFormat = Extract<TableDescription['format'], { kind: 'text' }>;

export class TextFile implements TableFile {
  readonly description: TableDescription;
  readonly #source: ByteSource;
  readonly #format: TextFormat;
  readonly #chunkBytes: number;

  constructor(
    source: ByteSource,
    description: TableDescription,
    format: TextFormat,
    chunkBytes: number = CHUNK_BYTES,
  ) {
    this.#source = source;
    this.description = description;
    this.#format = format;
    this.#chunkBytes = chunkBytes;
  }

  async *pieces(from: Position): AsyncGenerator<Piece> {
    const window = new ByteWindow(2 * this.#chunkBytes);
    let { byte, line } = from;
    let enough = this.#chunkBytes;
    let unsaid = false;
    let received = byte;
    for await (const chunk of readChunks(this.#source, byte)) {
      window.add(chunk);
      received += chunk.length;
      const final = received === this.#source.bytes;
      if (window.bytes.length < enough && !final) continue;
      const { rows, bytes, lines } = this.#read(window.bytes, final, line);
      window.take(bytes);
      byte += bytes;
      line += lines;
      // A record that is not complete is looked at again when much has come, not with every few bytes.
      enough = window.bytes.length + this.#chunkBytes;
      unsaid = rows.length === 0 && bytes > 0;
      if (rows.length > 0) yield { rows, next: { byte, line } };
    }
    if (unsaid) yield { rows: [], next: { byte, line } };
  }

  #read(bytes: Buffer, final: boolean, line: number) {
    const { encoding, delimiter } = this.#format;
    const unit = unitBytes(encoding);
    const half = bytes.length % unit;
    if (half > 0 && final)
      throw new FileError('invalid-encoding', 'the file ends within a character of UTF-16');
    const whole = bytes.subarray(0, bytes.length - half);
    const units = unitsOf(whole, encoding);
    const records = findRecords(units, {
      delimiter: delimiter.charCodeAt(0),
      final,
      line,
      recordUnitsMax: RECORD_BYTES_MAX / unit,
    });
    const { rows, lines } = parseRecords(units, records, encoding, delimiter, line);
    return { rows, lines, bytes: records.end * unit };
  }
}
