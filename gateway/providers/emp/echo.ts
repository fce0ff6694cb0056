/** The answer by which EMP knows that a notification arrived; without it the notification comes again. */

import { BytePool } from '../../../runtime/byte-pool.js';

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<notification_echo>\n  ';
const TAIL = '\n</notification_echo>\n';

const SPECIAL = /[<>&'"]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  "'": '&apos;',
  '"': '&quot;',
};

/** Of one element, named as in XML. */
export class Echo {
  readonly #head: Buffer;
  readonly #tail: Buffer;
  readonly #pool = new BytePool();

  constructor(element: string) {
    this.#head = Buffer.from(`${HEAD}<${element}>`);
    this.#tail = Buffer.from(`</${element}>${TAIL}`);
  }

  /** The answer for an id of characters that stand for themselves: the bytes of `body` from `start` to `end`. */
  ofWord(body: Uint8Array, start: number, end: number): Uint8Array {
    const bytes = this.#head.length + (end - start) + this.#tail.length;
    this.#pool.reserve(bytes);
    const { buffer, position } = this.#pool;
    buffer.set(this.#head, position);
    let at = position + this.#head.length;
    for (let i = start; i < end; i++) buffer[at++] = body[i] ?? 0;
    buffer.set(this.#tail, at);
    return this.#pool.take(position + bytes);
  }

  /** The answer for any id that holds no control characters. */
  of(id: string): Uint8Array {
    return Buffer.concat([this.#head, Buffer.from(escapeXml(id)), this.#tail]);
  }
}

/** `text` as the content of an XML element. */
function escapeXml(text: string): string {
  return text.replace(SPECIAL, (character) => ESCAPES[character] ?? '');
}
