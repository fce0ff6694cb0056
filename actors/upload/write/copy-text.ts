/**
 * Rows in the text format of COPY, encoded once, as they come, in memory outside of the heap.
 *
 * Strings of a batch would be 20,000 objects or more on a heap of 128 MiB that several uploads share; here a batch is a buffer
 * and where each row ends. Rows can be taken out again, before the first chunk is read.
 */

/** What cannot stand for itself between two tabs. Postgres keeps no NUL. */
const SPECIAL = /[\\\n\r\t\0]/;
const SPECIALS = /[\\\n\r\t\0]/g;
const ESCAPED: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\0': '\uFFFD',
};
const NULL = '\\N';

/** A text as a column's value; undefined is NULL. */
export function copyText(text: string | undefined): string {
  if (text === undefined) return NULL;
  return SPECIAL.test(text) ? text.replace(SPECIALS, (special) => ESCAPED[special] ?? '') : text;
}

/** Plain data as a value of type jsonb; undefined is NULL. */
export function copyJson(value: unknown): string {
  if (value === undefined) return NULL;
  const json = JSON.stringify(value);
  // Of what JSON writes as \u, jsonb refuses the NUL and halves of surrogate pairs.
  return copyText(json.includes('\\u') ? JSON.stringify(value, withoutRefused) : json);
}

const REFUSED = /\0|\p{Surrogate}/gu;

function withoutRefused(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return value.replace(REFUSED, '\uFFFD');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key.replace(REFUSED, '\uFFFD'), each]),
  );
}

const BYTES_AT_FIRST = 64 * 1024;
const ENDS_AT_FIRST = 1_024;
const CHUNK_BYTES = 128 * 1024;
/** UTF-8 takes at most three bytes for a UTF-16 unit. */
const BYTES_PER_UNIT = 3;

export class CopyRows {
  #buffer = Buffer.allocUnsafeSlow(BYTES_AT_FIRST);
  #ends = new Uint32Array(ENDS_AT_FIRST);
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `row`: its columns' values with tabs between, and a line feed at the end. */
  add(row: string): void {
    const bytesMax = this.#bytes + row.length * BYTES_PER_UNIT;
    if (bytesMax > this.#buffer.length) this.#grow(bytesMax);
    if (this.#count === this.#ends.length) {
      const ends = new Uint32Array(2 * this.#count);
      ends.set(this.#ends);
      this.#ends = ends;
    }
    this.#bytes += this.#buffer.write(row, this.#bytes, 'utf8');
    this.#ends[this.#count++] = this.#bytes;
  }

  /** Takes out all rows whose number, from 0 in the order of `add`, is in `numbers`. */
  remove(numbers: ReadonlySet<number>): void {
    if (numbers.size === 0) return;
    let kept = 0;
    let bytes = 0;
    let start = 0;
    for (let number = 0; number < this.#count; number++) {
      const end = this.#ends[number] ?? start;
      if (!numbers.has(number)) {
        this.#buffer.copyWithin(bytes, start, end);
        bytes += end - start;
        this.#ends[kept++] = bytes;
      }
      start = end;
    }
    this.#count = kept;
    this.#bytes = bytes;
  }

  /** For `copyFrom`. */
  *chunks(): Generator<Uint8Array> {
    for (let at = 0; at < this.#bytes; at += CHUNK_BYTES) {
      yield this.#buffer.subarray(at, Math.min(at + CHUNK_BYTES, this.#bytes));
    }
  }

  #grow(bytesMin: number): void {
    const buffer = Buffer.allocUnsafeSlow(Math.max(bytesMin, 2 * this.#buffer.length));
    this.#buffer.copy(buffer, 0, 0, this.#bytes);
    this.#buffer = buffer;
  }
}
