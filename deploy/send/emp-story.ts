/**
 * One story of EMP notifications: what the gateway would send about one payment, payment page, identity check or
 * external event, in the order in which it happens. The people and accounts in it do not exist.
 *
 * Each step is a list of form fields in the order of the body; `emp-traffic.ts` signs and encodes it.
 */
import type { Random } from './random.js';

type EmpKind = 'processing' | 'wpf' | 'kyc' | 'apm';
/** A prefix of signed ids. */
const EMP_PREFIX = /^[A-Za-z0-9_-]{0,64}$/;
const EMP_KINDS: readonly EmpKind[] = Object.freeze(['processing', 'wpf', 'kyc', 'apm']);

interface StoryStep {
  readonly kind: EmpKind;
  readonly signedId: string;
  /** The id that the actor's key is made of: the signed id, or the original one of a legacy chargeback. */
  readonly paymentId: string;
  readonly event: string;
  readonly status: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

const TERMINALS = [
  '394f2ebc3646d3c017fa1e1cbc4a1e20',
  '7c1e4b9f0a2d4d7f8a55e0c2b9f3d611',
  'b81a09d2c4e34f10a7d6f5e4c3b2a190',
] as const;
const DECLINES = [
  ['AM04', 'Insufficient Funds'],
  ['AC04', 'Account closed'],
  ['MS03', 'No reason specified'],
  ['BE05', 'Creditor & identifier incorrect'],
] as const;
const CHARGEBACKS = [
  ['MD06', 'Refund request by end customer'],
  ['MD01', 'No valid mandate'],
  ['AC01', 'Incorrect account number'],
  ['AM04', 'Insufficient Funds'],
] as const;

/** @param prefix of every signed id, so that whoever sees one knows what it is of */
function tellStory(kind: EmpKind, index: number, random: Random, prefix = ''): readonly StoryStep[] {
  switch (kind) {
    case 'processing':
      return processing(index, random, prefix);
    case 'wpf':
      return paymentPage(index, random, prefix);
    case 'kyc':
      return identityCheck(index, random, prefix);
    case 'apm':
      return externalEvents(random, prefix);
  }
}

function processing(index: number, random: Random, prefix: string): StoryStep[] {
  const digits = random.hex(32);
  const uniqueId = `${prefix}${digits}`;
  const base = (status: string) =>
    [
      ['transaction_id', `tether_${index}_${digits.slice(0, 4)}`],
      ['unique_id', uniqueId],
      ['transaction_type', type],
      ['terminal_token', terminal],
      ['status', status],
      ['amount', amount],
      ['currency', 'EUR'],
      ['iban', account],
    ] as const;
  const type = random.weighted([
    ['sdd_sale', 6],
    ['sdd_init_recurring_sale', 2],
    ['sdd_recurring_sale', 2],
  ]);
  const terminal = random.pick(TERMINALS);
  const amount = String(100 + random.below(20_000));
  const account = fictitiousIban(random);
  const steps: StoryStep[] = [];
  const tell = (status: string, event = '', extra: readonly (readonly [string, string])[] = []) =>
    steps.push({
      kind: 'processing',
      signedId: uniqueId,
      paymentId: uniqueId,
      event,
      status,
      fields: [...base(status), ...(event === '' ? [] : [['event', event] as const]), ...extra],
    });

  if (random.chance(0.8)) tell('pending_async');
  if (random.chance(0.2)) {
    const [code, text] = random.pick(DECLINES);
    tell('declined', '', [
      ['rc_code', code],
      ['rc_description', text],
    ]);
    return steps;
  }
  tell('approved');
  if (random.chance(0.02)) {
    tell('approved', 'retrieval_request', [
      ['reason_code', '6341'],
      ['reason_description', 'Cardholder inquiry'],
      ['post_date', '2026-01-15'],
    ]);
  }
  if (!random.chance(0.1)) return steps;
  const [code, text] = random.pick(CHARGEBACKS);
  if (random.chance(0.2)) {
    steps.push(
      legacyChargeback(
        index,
        uniqueId,
        code,
        text,
        [
          ['amount', amount],
          ['iban', account],
        ],
        random,
        prefix,
      ),
    );
    return steps;
  }
  tell('chargebacked', 'chargeback', [
    ['rc_code', code],
    ['rc_description', text],
  ]);
  if (random.chance(0.3)) tell('chargeback_reversed', 'chargeback_reversal');
  return steps;
}

function legacyChargeback(
  index: number,
  original: string,
  code: string,
  text: string,
  extra: readonly (readonly [string, string])[],
  random: Random,
  prefix: string,
): StoryStep {
  const digits = random.hex(32);
  const uniqueId = `${prefix}${digits}`;
  return {
    kind: 'processing',
    signedId: uniqueId,
    paymentId: original,
    event: '',
    status: 'approved',
    fields: [
      ['transaction_id', `tether_cb_${index}_${digits.slice(0, 4)}`],
      ['unique_id', uniqueId],
      ['transaction_type', 'chargeback'],
      ['original_transaction_unique_id', original],
      ['status', 'approved'],
      ['currency', 'EUR'],
      ['reason', text],
      ['reason_code', code],
      ...extra,
    ],
  };
}

function paymentPage(index: number, random: Random, prefix: string): StoryStep[] {
  const digits = random.hex(32);
  const signedId = `${prefix}${digits}`;
  const payment = random.hex(32);
  const terminal = random.pick(TERMINALS);
  const amount = String(100 + random.below(20_000));
  const last = random.weighted([
    ['approved', 7],
    ['declined', 2],
    ['timeout', 1],
  ]);
  const step = (status: string): StoryStep => ({
    kind: 'wpf',
    signedId,
    paymentId: signedId,
    event: '',
    status,
    fields: [
      ['payment_transaction_transaction_type', 'sdd_sale'],
      ['payment_transaction_terminal_token', terminal],
      ['payment_transaction_unique_id', payment],
      ['payment_transaction_amount', amount],
      ['payment_transaction_currency', 'EUR'],
      ['wpf_transaction_id', `wpf_${index}_${digits.slice(0, 4)}`],
      ['wpf_status', status],
      ['wpf_unique_id', signedId],
      ['notification_type', 'wpf'],
    ],
  });
  return random.chance(0.5) ? [step('in_progress'), step(last)] : [step(last)];
}

function identityCheck(index: number, random: Random, prefix: string): StoryStep[] {
  const signedId = `${prefix}kyc-${index}-${random.hex(8)}`;
  return Array.from({ length: 1 + random.below(3) }, (_, i) => ({
    kind: 'kyc',
    signedId,
    paymentId: signedId,
    event: '',
    status: '',
    fields: [
      ['reference_id', signedId],
      ['notification_type', 'kyc_service_execution'],
      ['score', String(random.below(100))],
      ['score_complete', String(i > 0)],
      ['kyc_source', `check ${i + 1}: sanctions & address`],
    ],
  }));
}

function externalEvents(random: Random, prefix: string): StoryStep[] {
  const signedId = `${prefix}${random.hex(32)}`;
  return Array.from({ length: 1 + random.below(2) }, (_, i) => ({
    kind: 'apm',
    signedId,
    paymentId: signedId,
    event: '',
    status: '',
    fields: [
      ['notification_type', 'apm_external_event'],
      ['payment_transaction_unique_id', signedId],
      ['category', 'p24_external_refund'],
      ['priority', 'info'],
      ['code', i === 0 ? 'SDR' : 'SDC'],
      ['info', 'Zwrot płatności – 100 %'],
    ],
  }));
}

/** An IBAN with right check digits at a bank (code 00000000) that does not exist. */
function fictitiousIban(random: Random): string {
  const account = random.below(2 ** 32);
  // The number behind `DE00` moved to the end, letters as numbers (D is 13, E is 14): account * 10^6 + 131400.
  const check = 98 - ((account * 1_000_000 + 131_400) % 97);
  return `DE${String(check).padStart(2, '0')}00000000${String(account).padStart(10, '0')}`;
}

export { EMP_KINDS, EMP_PREFIX, type EmpKind, type StoryStep, tellStory };
