/**
 * Rows in the text format of COPY, encoded once, as they come, in memory outside of the heap.
 *
 * Strings of a batch would be 20,000 objects or more on a heap of 128 MiB that several uploads share; here a batch is a buffer
 * and where each row ends. The memory is used again by the next batch: new buffers for each cost as much in garbage collection as all
 * else, since V8 marks its whole heap each time that so much has been taken outside of it.
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
const WRITTEN: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** A text as a column's value; undefined is NULL. */
export function copyText(text: string | undefined): string {
  if (text === undefined) return NULL;
  return SPECIAL.test(text) ? text.replace(SPECIALS, (special) => ESCAPED[special] ?? '') : text;
}

/** The text of a column's value, as `copyText` wrote it, but for a NUL. */
export function copiedText(value: string | undefined): string | undefined {
  if (value === undefined || value === NULL) return undefined;
  if (!value.includes('\\')) return value;
  return value.replace(/\\(.)/g, (_, letter: string) => WRITTEN[letter] ?? letter);
}

/** Plain data as a value of type jsonb; undefined is NULL. */
export function copyJson(value: unknown): string {
  return value === undefined ? NULL : copyText(jsonText(value));
}

/** Plain data as a text that jsonb takes. */
export function jsonText(value: unknown): string {
  const json = JSON.stringify(value);
  // Of what JSON writes as \u, jsonb refuses the NUL and halves of surrogate pairs.
  return json.includes('\\u') ? JSON.stringify(value, withoutRefused) : json;
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
/** Each takes a turn of the event loop to be sent. */
const CHUNK_BYTES = 512 * 1024;
/** UTF-8 takes at most three bytes for a UTF-16 unit. */
const BYTES_PER_UNIT = 3;

export class CopyRows {
  #buffer = Buffer.allocUnsafeSlow(BYTES_AT_FIRST);
  #ends = new Uint32Array(ENDS_AT_FIRST);
  /** Rows in the order in which they are sent. */
  #sent = Buffer.alloc(0);
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

  /** As it was added. */
  row(number: number): string {
    const start = number === 0 ? 0 : (this.#ends[number - 1] ?? 0);
    return this.#buffer.toString('utf8', start, this.#ends[number]);
  }

  /** Empty again, with its memory. Nothing that `chunks` gave may be in use any more. */
  clear(): void {
    this.#count = 0;
    this.#bytes = 0;
  }

  /**
   * For `copyFrom`: the rows of these numbers, from 0 in the order of `add`, in the order given. What it gives is valid until it is asked
   * again from the beginning, or `clear`.
   */
  *chunks(numbers: Iterable<number> = this.#numbers()): Generator<Uint8Array> {
    // A little more than needed: batches are not of one size, and each would take another buffer.
    if (this.#sent.length < this.#bytes) this.#sent = Buffer.allocUnsafeSlow(Math.ceil(this.#bytes * 1.25));
    let sent = 0;
    let bytes = 0;
    for (const number of numbers) {
      const start = number === 0 ? 0 : (this.#ends[number - 1] ?? 0);
      const end = this.#ends[number] ?? start;
      this.#buffer.copy(this.#sent, bytes, start, end);
      bytes += end - start;
      if (bytes - sent < CHUNK_BYTES) continue;
      yield this.#sent.subarray(sent, bytes);
      sent = bytes;
    }
    if (bytes > sent) yield this.#sent.subarray(sent, bytes);
  }

  *#numbers(): Generator<number> {
    for (let number = 0; number < this.#count; number++) yield number;
  }

  #grow(bytesMin: number): void {
    const buffer = Buffer.allocUnsafeSlow(Math.max(bytesMin, 2 * this.#buffer.length));
    this.#buffer.copy(buffer, 0, 0, this.#bytes);
    this.#buffer = buffer;
  }
}
