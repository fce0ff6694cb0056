/**
 * A request as a provider looks at it: the body, the headers that were asked for, and the JSON in the body. That is parsed when it is first
 * asked for, and once; it is at most as large as a body.
 *
 * Nothing here throws, and nothing looks beyond own properties: `__proto__` in a pointer or in the JSON is a name like any other.
 */

/** Of keys, ids and types, in UTF-8. */
export const TEXT_BYTES_MAX = 255;

/** Control characters, which Postgres or a log line would trip over, and halves of surrogate pairs, which UTF-8 cannot tell apart. */
const UNFIT = /[\p{Cc}\p{Cs}]/u;
const UNREAD = Symbol('unread');
const INDEX = /^(?:0|[1-9][0-9]{0,5})$/;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The names of the headers that a provider is given, each once; the position is what the provider keeps. */
export class HeaderNames {
  readonly names: string[] = [];

  /** The position of a header, from now on among those that are read. */
  position(name: string): number {
    const lower = name.toLowerCase();
    const known = this.names.indexOf(lower);
    return known === -1 ? this.names.push(lower) - 1 : known;
  }
}

export class Reading {
  readonly body: Buffer;
  readonly #headers: readonly string[];
  #json: unknown = UNREAD;

  constructor(body: Buffer, headers: readonly string[]) {
    this.body = body;
    this.#headers = headers;
  }

  /** The header at a position of `HeaderNames`; '' when it did not come. */
  header(position: number): string {
    return this.#headers[position] ?? '';
  }

  /** What the body says as JSON; undefined when it is none, or not UTF-8. */
  json(): unknown {
    if (this.#json === UNREAD) this.#json = parseJson(this.body);
    return this.#json;
  }
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    return undefined;
  }
}

/** The member of an object, undefined of anything else. */
export function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  // `length` of an array is its own too.
  if (Array.isArray(value) && !INDEX.test(name)) return undefined;
  return Reflect.get(value, name);
}

/** The value that a JSON pointer's parts lead to. */
export function memberAt(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const name of path) found = member(found, name);
  return found;
}

/**
 * A value as a key, an id or a type: a text or a whole number that JavaScript holds exactly. '' for anything else, for what is longer than
 * `TEXT_BYTES_MAX`, and for what holds a control character.
 */
export function textOf(value: unknown): string {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : '';
  return typeof value === 'string' && fits(value, TEXT_BYTES_MAX) ? value : '';
}

export function fits(text: string, bytesMax: number): boolean {
  return text.length <= bytesMax && !UNFIT.test(text) && Buffer.byteLength(text) <= bytesMax;
}
