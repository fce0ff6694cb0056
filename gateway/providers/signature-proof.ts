/**
 * A signature in a header, described and not programmed: where it is, how it is written, what is signed, and how old that may be.
 *
 * The order of the checks is a promise: what is not signed is `forged` and nothing else is said of it, so a stranger learns nothing of
 * clocks and forms; of what is signed, the timestamp is looked at. The body is hashed as it came.
 */
import { forged, malformed, type Proof } from './proof.js';
import type { Refused } from './provider.js';
import type { HeaderNames, Reading } from './reading.js';
import { type Item, type ItemForm, itemsOf, valuesOf } from './signature-items.js';
import type { Signed, SigningKey } from './signing-key.js';
import { millisecondsOf, type TimestampUnit } from './timestamp.js';

export type SignedPart =
  | { readonly part: 'body' }
  /** As it was written, whatever that says. */
  | { readonly part: 'timestamp' }
  | { readonly part: 'header'; readonly name: string }
  | { readonly part: 'literal'; readonly text: string };

export interface SignatureScheme {
  /** Where the signature is. */
  readonly header: string;
  /** What stands before it; or: the header is a list, and the signatures are its items of the names of the keys. */
  readonly form: { readonly prefix: string } | { readonly items: ItemForm };
  readonly signed: readonly SignedPart[];
  readonly timestamp?: {
    readonly from: { readonly header: string } | { readonly item: string };
    readonly unit: TimestampUnit;
    readonly toleranceSeconds: number;
  };
}

const FORGED = forged('the signature is not that of this message');

export class SignatureProof implements Proof {
  readonly #scheme: SignatureScheme;
  readonly #keys: readonly SigningKey[];
  readonly #header: number;
  readonly #timestampHeader: number;
  readonly #parts: readonly ((reading: Reading, timestamp: string) => string | Buffer)[];
  /** Refusals, made once. */
  readonly #missing: Refused;
  readonly #noTimestamp: Refused;
  readonly #unreadable: Refused;
  readonly #expired: Refused;

  /** @param keys every one of them is valid */
  constructor(scheme: SignatureScheme, keys: readonly SigningKey[], names: HeaderNames) {
    this.#scheme = scheme;
    this.#keys = keys;
    this.#header = names.position(scheme.header);
    const from = scheme.timestamp?.from;
    const inHeader = from !== undefined && 'header' in from;
    this.#timestampHeader = inHeader ? names.position(from.header) : -1;
    this.#parts = scheme.signed.map((part) => pieceOf(part, names));
    const where = inHeader ? `header ${from.header}` : `the timestamp in header ${scheme.header}`;
    this.#missing = forged(`header ${scheme.header} is missing`);
    this.#noTimestamp = forged(`${where} is missing`);
    this.#unreadable = malformed(`${where} is no timestamp`);
    this.#expired = {
      outcome: 'expired',
      reason: `${where} is more than ${scheme.timestamp?.toleranceSeconds} s away from the clock of this node`,
    };
  }

  check(reading: Reading, nowMs: number): Refused | undefined {
    const given = reading.header(this.#header);
    if (given === '') return this.#missing;
    const { form, timestamp } = this.#scheme;
    const items = 'items' in form ? itemsOf(given, form.items) : [];
    const signedAt = this.#signedAt(reading, items);
    if (timestamp !== undefined && signedAt === '') return this.#noTimestamp;
    if (!this.#isSigned(reading, given, items, signedAt)) return FORGED;
    if (timestamp === undefined) return undefined;
    const at = millisecondsOf(signedAt, timestamp.unit);
    if (at === undefined) return this.#unreadable;
    return Math.abs(nowMs - at) > timestamp.toleranceSeconds * 1000 ? this.#expired : undefined;
  }

  #signedAt(reading: Reading, items: readonly Item[]): string {
    const from = this.#scheme.timestamp?.from;
    if (from === undefined) return '';
    if ('header' in from) return reading.header(this.#timestampHeader);
    return valuesOf(items, from.item)[0] ?? '';
  }

  #isSigned(reading: Reading, given: string, items: readonly Item[], timestamp: string): boolean {
    const { form } = this.#scheme;
    const content: Signed = this.#parts.map((piece) => piece(reading, timestamp));
    let signed = false;
    for (const key of this.#keys) {
      const candidates =
        'items' in form
          ? valuesOf(items, key.item)
          : given.startsWith(form.prefix)
            ? [given.slice(form.prefix.length)]
            : [];
      if (key.signs(content, candidates)) signed = true;
    }
    return signed;
  }
}

function pieceOf(
  part: SignedPart,
  names: HeaderNames,
): (reading: Reading, timestamp: string) => string | Buffer {
  switch (part.part) {
    case 'body':
      return (reading) => reading.body;
    case 'timestamp':
      return (_, timestamp) => timestamp;
    case 'literal':
      return () => part.text;
    case 'header': {
      const position = names.position(part.name);
      return (reading) => reading.header(position);
    }
  }
}
