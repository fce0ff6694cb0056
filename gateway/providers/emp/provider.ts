/**
 * EMP (emerchantpay's Genesis gateway) as a provider: notifications as forms, signed by a plain hash, answered by an echo.
 *
 * The rules of kind, id and limits are those of `actors/emp/notification.ts`, said a second time in the order that costs
 * least; `provider.test.ts` holds the two together. The names, the limits and both keys come from there.
 */
import {
  actorKey,
  bodyDigest,
  dedupeKey,
  ID_BYTES_MAX,
  KIND_BY_NOTIFICATION_TYPE,
  type Kind,
  LABEL_BYTES_MAX,
  needsBodyDigest,
  SIGNED_ID_FIELD,
} from '../../../actors/emp/index.js';
import { isWord, isWordIn } from '../../../runtime/ascii.js';
import { AsciiText } from '../../../runtime/ascii-text.js';
import type { Accepted, Provider, Refused } from '../provider.js';
import { Echo } from './echo.js';
import { FormScanner, fieldNumber, type IdentityField } from './scan.js';
import { Signatures } from './signature.js';

export interface EmpOptions {
  /** The endpoint's name: the first part of every key. */
  readonly endpoint: string;
  /** API passwords, at least one. */
  readonly secrets: readonly string[];
}

const NOTIFICATION_TYPE = fieldNumber('notification_type');
const UNIQUE_ID = fieldNumber('unique_id');
const WPF_UNIQUE_ID = fieldNumber('wpf_unique_id');
const REFERENCE_ID = fieldNumber('reference_id');
const ORIGINAL_ID = fieldNumber('original_transaction_unique_id');
const TRANSACTION_TYPE = fieldNumber('transaction_type');
const EVENT = fieldNumber('event');
const STATUS = fieldNumber('status');
const WPF_STATUS = fieldNumber('wpf_status');
const SIGNATURE = fieldNumber('signature');

interface KindRule {
  readonly kind: Kind;
  readonly signedId: number;
  readonly status: number;
  /** Whether its keys take in a digest of the body. */
  readonly digest: boolean;
  readonly echo: Echo;
  /** Of the deduplication key without event and body's digest: what stands before the id, and between it and the status. */
  readonly dedupeHead: Uint8Array;
  readonly dedupeMiddle: Uint8Array;
  /** Refusals, made once. */
  readonly idMissing: Refused;
  readonly idUnfit: Refused;
}

const RULES: Readonly<Record<Kind, KindRule>> = {
  processing: rule('processing', 'unique_id'),
  wpf: rule('wpf', 'wpf_unique_id'),
  kyc: rule('kyc', 'reference_id'),
  apm: rule('apm', 'unique_id'),
};

const NO_SIGNED_ID = malformed('no field holds a signed id');
const NO_SIGNATURE = malformed('field signature is missing');
const EVENT_UNFIT = malformed(
  `field event is longer than ${LABEL_BYTES_MAX} bytes or holds a control character`,
);
const STATUS_UNFIT = malformed(
  `the status is longer than ${LABEL_BYTES_MAX} bytes or holds a control character`,
);
const ORIGINAL_UNFIT = malformed(
  `field original_transaction_unique_id is longer than ${ID_BYTES_MAX} bytes or holds a control character`,
);
const FORGED: Refused = { outcome: 'forged', reason: 'the signature is not that of the signed id' };

/** Of a deduplication key: kind, id, event and status, with something between them. */
const TEXT_BYTES_MAX = 32 + ID_BYTES_MAX + 2 * LABEL_BYTES_MAX;

const CONTROL = /\p{Cc}/u;

export class EmpProvider implements Provider {
  readonly mediaTypes = ['application/x-www-form-urlencoded'];
  readonly headers = [];
  readonly answerMediaType = Buffer.from('application/xml');
  readonly #endpoint: string;
  readonly #scanner = new FormScanner();
  readonly #signatures: Signatures;
  readonly #keyHeadBytes: number;
  readonly #key: AsciiText;
  readonly #dedupe = new AsciiText(TEXT_BYTES_MAX);

  constructor({ endpoint, secrets }: EmpOptions) {
    this.#endpoint = endpoint;
    this.#signatures = new Signatures(secrets);
    const keyHead = Buffer.from(actorKey(endpoint, { paymentId: '' }));
    this.#keyHeadBytes = keyHead.length;
    this.#key = new AsciiText(keyHead.length + ID_BYTES_MAX);
    this.#key.append(keyHead, 0, keyHead.length);
  }

  recognise(body: Buffer): Accepted | Refused {
    const scanner = this.#scanner;
    scanner.scan(body);
    if (scanner.repeated !== undefined) return malformed(`field ${scanner.repeated} is repeated`);
    const { notUtf8 } = scanner;
    if (notUtf8 !== undefined) return malformed(`field ${notUtf8} is not UTF-8`);
    const rule = this.#rule();
    if (rule === undefined) return NO_SIGNED_ID;
    return this.#recogniseUsual(body, rule) ?? this.#recogniseAny(body, rule);
  }

  /**
   * What nearly every notification is, without a string: an id and a status of characters that stand for themselves, no event,
   * nothing that the body's digest or another payment has to do with. Undefined when it is not that.
   */
  #recogniseUsual(body: Buffer, rule: KindRule): Accepted | undefined {
    const scanner = this.#scanner;
    const { starts, ends } = scanner;
    if (rule.digest || !scanner.isEmpty(EVENT) || !scanner.isEmpty(ORIGINAL_ID)) return undefined;
    const idStart = starts[rule.signedId] ?? 0;
    const idEnd = ends[rule.signedId] ?? 0;
    const statusStart = starts[rule.status] ?? 0;
    const statusEnd = ends[rule.status] ?? 0;
    if (idEnd === idStart || idEnd - idStart > ID_BYTES_MAX || !isWordIn(body, idStart, idEnd))
      return undefined;
    if (statusEnd - statusStart > LABEL_BYTES_MAX || !isWordIn(body, statusStart, statusEnd))
      return undefined;
    // A signature that is not right as it stands may still be one that wants decoding.
    const signed = this.#signatures.isSigned(
      body,
      idStart,
      idEnd,
      starts[SIGNATURE] ?? 0,
      ends[SIGNATURE] ?? 0,
    );
    if (!signed) return undefined;

    const key = this.#key;
    key.length = this.#keyHeadBytes;
    key.append(body, idStart, idEnd);
    const dedupe = this.#dedupe;
    dedupe.length = 0;
    dedupe.append(rule.dedupeHead, 0, rule.dedupeHead.length);
    dedupe.append(body, idStart, idEnd);
    dedupe.append(rule.dedupeMiddle, 0, rule.dedupeMiddle.length);
    dedupe.append(body, statusStart, statusEnd);
    return { outcome: 'accepted', key, dedupe, answer: rule.echo.ofWord(body, idStart, idEnd) };
  }

  #recogniseAny(body: Buffer, rule: KindRule): Accepted | Refused {
    const scanner = this.#scanner;
    const signedId = scanner.value(rule.signedId);
    if (signedId === '') return rule.idMissing;
    if (!fits(signedId, ID_BYTES_MAX)) return rule.idUnfit;
    const status = scanner.value(rule.status);
    if (!fits(status, LABEL_BYTES_MAX)) return STATUS_UNFIT;
    const event = scanner.value(EVENT);
    if (!fits(event, LABEL_BYTES_MAX)) return EVENT_UNFIT;
    const paymentId = this.#paymentId(rule.kind, signedId);
    if (paymentId !== signedId && !fits(paymentId, ID_BYTES_MAX)) return ORIGINAL_UNFIT;

    const signature = scanner.value(SIGNATURE);
    if (signature === '') return NO_SIGNATURE;
    if (!this.#isSigned(signedId, signature)) return FORGED;

    const parts = { kind: rule.kind, signedId, paymentId, event, status };
    return {
      outcome: 'accepted',
      key: actorKey(this.#endpoint, parts),
      dedupe: dedupeKey(parts, needsBodyDigest(parts) ? bodyDigest(body) : ''),
      answer: rule.echo.of(signedId),
    };
  }

  /** Of decoded values: put side by side, as in a body. */
  #isSigned(signedId: string, signature: string): boolean {
    const bytes = Buffer.from(signedId + signature);
    const idEnd = Buffer.byteLength(signedId);
    return this.#signatures.isSigned(bytes, 0, idEnd, idEnd, bytes.length);
  }

  #rule(): KindRule | undefined {
    const scanner = this.#scanner;
    if (!scanner.isEmpty(NOTIFICATION_TYPE)) {
      const kind = KIND_BY_NOTIFICATION_TYPE.get(scanner.value(NOTIFICATION_TYPE));
      if (kind !== undefined) return RULES[kind];
    }
    if (!scanner.isEmpty(WPF_UNIQUE_ID)) return RULES.wpf;
    if (!scanner.isEmpty(UNIQUE_ID)) return RULES.processing;
    if (!scanner.isEmpty(REFERENCE_ID)) return RULES.kyc;
    return undefined;
  }

  /** The legacy form of a chargeback is about another payment than the one that it is signed for. */
  #paymentId(kind: Kind, signedId: string): string {
    if (kind !== 'processing' || this.#scanner.value(TRANSACTION_TYPE) !== 'chargeback') return signedId;
    return this.#scanner.value(ORIGINAL_ID) || signedId;
  }
}

function rule(kind: Kind, echoElement: string): KindRule {
  const field = SIGNED_ID_FIELD[kind];
  const [dedupeHead, dedupeMiddle] = dedupeKey({ kind, signedId: '|', event: '', status: '|' }, '').split(
    '|',
  );
  return {
    kind,
    signedId: fieldNumber(field as IdentityField),
    status: kind === 'wpf' ? WPF_STATUS : STATUS,
    echo: new Echo(echoElement),
    digest: needsBodyDigest({ kind, event: '' }),
    dedupeHead: Buffer.from(dedupeHead ?? ''),
    dedupeMiddle: Buffer.from(dedupeMiddle ?? ''),
    idMissing: malformed(`field ${field} is missing`),
    idUnfit: malformed(`field ${field} is longer than ${ID_BYTES_MAX} bytes or holds a control character`),
  };
}

function malformed(reason: string): Refused {
  return { outcome: 'malformed', reason };
}

/** Whether a value is short enough (in UTF-8) and free of control characters. */
function fits(value: string, bytesMax: number): boolean {
  if (isWord(value)) return value.length <= bytesMax;
  return !CONTROL.test(value) && Buffer.byteLength(value) <= bytesMax;
}
