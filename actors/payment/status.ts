/**
 * A payment's status only moves forward: the table of moves, and the decision about a reported status.
 *
 * Messages come late and out of order, so a status is accepted when it can be reached over one or more moves, not only
 * over one: `chargebacked` may come before `approved`, and then `approved` is stale.
 *
 * Places that the protocol leaves open, and why they are where they are:
 * - The open statuses stand in one line. All of them lead to the same outcomes, so their order among themselves
 *   matters little; one line makes the result independent of the order of arrival.
 *   `user` (the consumer is at the payment page) comes before anything is submitted; a review or hold is decided before
 *   the transaction goes on to the bank, so the asynchronous wait for the bank is last.
 * - `unsuccessful` is the payment page's word for declined: an end.
 * - `success` is another word for approved, with the same ways on. Neither follows from the other; the first one stays.
 * - `refunded` may still become `chargebacked`: a debtor can have a direct debit returned after it was refunded, and a
 *   loss that happens twice must not be hidden behind the first one.
 * - `representment_reversed` takes back a `represented`; `second_chargebacked` follows it as it follows the others.
 * - `pre_arbitrated` comes after a second chargeback, and is an end.
 *
 * `chargebacked`, `chargeback_reversed` and `represented` are a circle in the protocol itself (a reversed chargeback may
 * be raised again): between these three the last message wins.
 */

const OPEN = [
  'new',
  'user',
  'submitted',
  'in_progress',
  'pending',
  'pending_review',
  'pending_hold',
  'pending_async',
] as const;

const OUTCOMES = ['approved', 'success', 'declined', 'unsuccessful', 'error', 'timeout', 'voided'] as const;

type OpenStatus = (typeof OPEN)[number];

type Outcome = (typeof OUTCOMES)[number];

export type PaymentStatus =
  | OpenStatus
  | Outcome
  | 'refunded'
  | 'chargebacked'
  | 'chargeback_reversed'
  | 'represented'
  | 'representment_reversed'
  | 'second_chargebacked'
  | 'pre_arbitrated';

/** The moves: from a status to those that may follow it directly. */
export const MOVES: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = Object.freeze({
  new: ['user', ...OUTCOMES],
  user: ['submitted', ...OUTCOMES],
  submitted: ['in_progress', ...OUTCOMES],
  in_progress: ['pending', ...OUTCOMES],
  pending: ['pending_review', ...OUTCOMES],
  pending_review: ['pending_hold', ...OUTCOMES],
  pending_hold: ['pending_async', ...OUTCOMES],
  pending_async: OUTCOMES,

  approved: ['refunded', 'voided', 'chargebacked'],
  success: ['refunded', 'voided', 'chargebacked'],
  declined: [],
  unsuccessful: [],
  error: [],
  timeout: [],
  voided: [],

  refunded: ['chargebacked'],
  chargebacked: ['chargeback_reversed', 'represented'],
  chargeback_reversed: ['second_chargebacked', 'chargebacked'],
  represented: ['second_chargebacked', 'chargebacked', 'representment_reversed'],
  representment_reversed: ['second_chargebacked'],
  second_chargebacked: ['pre_arbitrated'],
  pre_arbitrated: [],
});

/** For each status, all that can be reached from it over one or more moves. */
const REACHABLE: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  statuses().map((status) => [status, reach(status)]),
);

const OPEN_STATUSES: ReadonlySet<string> = new Set(OPEN);

function statuses(): PaymentStatus[] {
  return Object.keys(MOVES) as PaymentStatus[];
}

function reach(from: PaymentStatus): ReadonlySet<string> {
  const reached = new Set<PaymentStatus>();
  const next = [...MOVES[from]];
  for (let status = next.pop(); status !== undefined; status = next.pop()) {
    if (reached.has(status)) continue;
    reached.add(status);
    next.push(...MOVES[status]);
  }
  return reached;
}

export function isPaymentStatus(text: string): text is PaymentStatus {
  return REACHABLE.has(text);
}

/** Whether the payment still waits for its outcome. */
export function isOpen(status: string): boolean {
  return OPEN_STATUSES.has(status);
}

/** Whether the debtor has paid, and it stands. */
export function isPaid(status: string): boolean {
  return status === 'approved' || status === 'success';
}

/** Whether a chargeback is behind the payment, however it went on: a reversed one may be raised again. */
export function isPastChargeback(status: string): boolean {
  return status === 'chargebacked' || REACHABLE.get('chargebacked')?.has(status) === true;
}

/**
 * - `apply`: the payment takes the reported status
 * - `stale`: the payment is past it already, or on another way
 * - `unchanged`: the payment has that status
 * - `ignored`: no status that we know
 */
export type Advance = 'apply' | 'stale' | 'unchanged' | 'ignored';

/**
 * What a reported status means for a payment in `current`, or for one not seen before. A `current` that this version
 * does not know (a newer one wrote it) is never left: we cannot say what is forward from there.
 */
export function advance(current: string | undefined, reported: string): Advance {
  if (!isPaymentStatus(reported)) return 'ignored';
  if (current === undefined) return 'apply';
  if (current === reported) return 'unchanged';
  return REACHABLE.get(current)?.has(reported) === true ? 'apply' : 'stale';
}
