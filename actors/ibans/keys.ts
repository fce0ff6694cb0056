/**
 * The keys that IBANs are sealed with, as `TETHER_IBAN_KEYS` gives them: `id:base64 of 32 bytes`, the first seals, all open.
 *
 * ```
 * 32 bytes --HKDF-SHA-256--> "tether iban seal 1"    AES-256-GCM, see `seal.ts`
 *                      `---> "tether iban index 1"   HMAC-SHA-256, the blind index
 *                      `---> "tether iban tag 1"     4 bytes that say in an index which key it is of
 * ```
 * One secret for both, rather than a second one for the index: an index key that leaks gives IBANs away by trying them all, so it must be kept as
 * well, and be changed as well. A rotation writes each row anyway; its index costs one HMAC more.
 *
 * The tag is of the key and not of its id: where an id stands for another key by mistake, rows are of an unknown key, and no look-up
 * passes over them in silence.
 */
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

const KEY_BYTES = 32;
const TAG_BYTES = 4;
/** Of the HMAC. At 128 bits two of a billion IBANs are equal by chance once in 10^20 tables; the whole would double the index. */
const MAC_BYTES = 16;
/** Each is tried in each look-up while rows of it are there. */
const KEYS_MAX = 8;

/** Shown in messages and reports. */
export const KEY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;
const ITEM = /^([^:]{1,32}):([A-Za-z0-9+/]{43}=)$/;

export class IbanKey {
  readonly id: string;
  /** Hexadecimal, of `TAG_BYTES`; the begin of each index of this key. */
  readonly tag: string;
  readonly sealing: KeyObject;
  readonly #indexing: KeyObject;

  constructor(id: string, secret: Uint8Array) {
    this.id = id;
    const derived = (purpose: string, bytes: number) =>
      Buffer.from(hkdfSync('sha256', secret, '', `tether iban ${purpose} 1`, bytes));
    this.tag = derived('tag', TAG_BYTES).toString('hex');
    this.sealing = createSecretKey(derived('seal', KEY_BYTES));
    this.#indexing = createSecretKey(derived('index', KEY_BYTES));
  }

  /** The blind index: the same for the same IBAN, and for who has no key nothing but that. Hexadecimal, of 20 bytes. */
  indexOf(iban: string): string {
    const mac = createHmac('sha256', this.#indexing).update(iban).digest('hex');
    return this.tag + mac.slice(0, 2 * MAC_BYTES);
  }
}

export class IbanKeys {
  /** Seals. */
  readonly current: IbanKey;
  readonly #byId: ReadonlyMap<string, IbanKey>;
  readonly #byTag: ReadonlyMap<string, IbanKey>;

  private constructor(keys: readonly [IbanKey, ...IbanKey[]]) {
    this.current = keys[0];
    this.#byId = new Map(keys.map((key) => [key.id, key]));
    this.#byTag = new Map(keys.map((key) => [key.tag, key]));
  }

  /** Undefined when `text` is no such list, or names an id or a key twice. */
  static parse(text: string): IbanKeys | undefined {
    const keys: IbanKey[] = [];
    for (const item of text.split(',')) {
      const [, id, base64] = ITEM.exec(item.trim()) ?? [];
      if (id === undefined || base64 === undefined || !KEY_ID.test(id)) return undefined;
      const secret = Buffer.from(base64, 'base64');
      // A last character with bits that no byte has.
      if (secret.length !== KEY_BYTES || secret.toString('base64') !== base64) return undefined;
      keys.push(new IbanKey(id, secret));
    }
    const [first, ...rest] = keys;
    if (first === undefined || keys.length > KEYS_MAX) return undefined;
    const made = new IbanKeys([first, ...rest]);
    return made.#byId.size === keys.length && made.#byTag.size === keys.length ? made : undefined;
  }

  get all(): readonly IbanKey[] {
    return [...this.#byId.values()];
  }

  byId(id: string): IbanKey | undefined {
    return this.#byId.get(id);
  }

  byTag(tag: string): IbanKey | undefined {
    return this.#byTag.get(tag);
  }
}

/** The base64 of each key of a list, by its id, for whoever keeps secrets out of a text. Nothing of what is no list. */
export function ibanKeySecrets(text: string): readonly { readonly id: string; readonly secret: string }[] {
  return text.split(',').flatMap((item) => {
    const [, id, secret] = ITEM.exec(item.trim()) ?? [];
    return id === undefined || secret === undefined ? [] : [{ id, secret }];
  });
}
