/**
 * The texts that a workbook's cells share, by their number.
 *
 * Kept as UTF-8 outside of the JavaScript heap: a large workbook has millions of short ones, and as strings they would fill a worker
 * thread's heap. A text becomes a string when a cell asks for it.
 */
import { FileError } from '../errors.js';
import { decodeEscapes } from './cell-text.js';
import { readXml, type XmlHandler } from './xml.js';

const STRINGS_MAX = 4 * 1024 * 1024;
const BYTES_MAX = 64 * 1024 * 1024;
/** Larger than any one text that XML's limits let through. */
const SLAB_BYTES = 4 * 1024 * 1024;

export class SharedStrings {
  readonly #slabs: Buffer[] = [];
  #used = SLAB_BYTES;
  #total = 0;
  /** Of each: slab times `SLAB_BYTES` plus offset, and length. */
  #places = new Uint32Array(2_048);
  #count = 0;

  add(text: string): void {
    const length = Buffer.byteLength(text);
    this.#total += length;
    if (this.#total > BYTES_MAX || this.#count >= STRINGS_MAX || length > SLAB_BYTES) {
      throw new FileError('unpacks-too-large', 'the spreadsheet has more different texts than is allowed');
    }
    if (this.#used + length > SLAB_BYTES) {
      this.#slabs.push(Buffer.allocUnsafeSlow(SLAB_BYTES));
      this.#used = 0;
    }
    const slab = this.#slabs.length - 1;
    this.#slabs[slab]?.write(text, this.#used);
    const at = 2 * this.#count;
    if (at === this.#places.length) {
      const places = new Uint32Array(2 * this.#places.length);
      places.set(this.#places);
      this.#places = places;
    }
    this.#places[at] = slab * SLAB_BYTES + this.#used;
    this.#places[at + 1] = length;
    this.#used += length;
    this.#count++;
  }

  get(index: number): string | undefined {
    if (!(index >= 0 && index < this.#count)) return undefined;
    const place = this.#places[2 * index] ?? 0;
    const length = this.#places[2 * index + 1] ?? 0;
    const slab = this.#slabs[Math.floor(place / SLAB_BYTES)];
    const start = place % SLAB_BYTES;
    return slab?.toString('utf8', start, start + length);
  }
}

export async function readSharedStrings(chunks: AsyncIterable<Uint8Array>): Promise<SharedStrings> {
  const strings = new SharedStrings();
  await readXml(chunks, new StringsHandler(strings));
  return strings;
}

/** `<si>` is a text: one `<t>`, or several in runs; those in `<rPh>` say how it is pronounced. */
class StringsHandler implements XmlHandler {
  readonly #strings: SharedStrings;
  #text = '';
  #taking = false;
  #phonetic = false;

  constructor(strings: SharedStrings) {
    this.#strings = strings;
  }

  open(name: string): void {
    if (name === 'si') this.#text = '';
    else if (name === 'rPh') this.#phonetic = true;
    else if (name === 't') this.#taking = !this.#phonetic;
  }

  close(name: string): void {
    if (name === 't') this.#taking = false;
    else if (name === 'rPh') this.#phonetic = false;
    else if (name === 'si') this.#strings.add(decodeEscapes(this.#text));
  }

  text(text: string): void {
    if (!this.#taking) return;
    this.#text += text;
    if (this.#text.length > SLAB_BYTES / 4) {
      throw new FileError('cell-too-long', 'a text of the spreadsheet is longer than is allowed');
    }
  }
}
