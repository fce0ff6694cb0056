import fc from 'fast-check';
import t from 'tap';
import {
  advance,
  isOpen,
  isPaid,
  isPastChargeback,
  isPaymentStatus,
  MOVES,
  type PaymentStatus,
} from './status.js';

const STATUSES = Object.keys(MOVES).filter(isPaymentStatus);
/** The one circle that the protocol has. */
const CIRCLE = new Set<PaymentStatus>(['chargebacked', 'chargeback_reversed', 'represented']);
const anyStatus = fc.constantFrom(...STATUSES);

/** The status after `reports` in that order. */
function after(reports: readonly string[]): string | undefined {
  let current: string | undefined;
  for (const report of reports) if (advance(current, report) === 'apply') current = report;
  return current;
}

/** Whether `to` can be reached: a second way to find out, by moves alone. */
function reachable(from: PaymentStatus, to: PaymentStatus, depth = STATUSES.length): boolean {
  if (depth === 0) return false;
  return MOVES[from].some((next) => next === to || reachable(next, to, depth - 1));
}

/** A walk along the moves from a status on. */
const walk = fc.tuple(anyStatus, fc.array(fc.nat(), { maxLength: 14 })).map(([start, choices]) => {
  const path = [start];
  let at = start;
  for (const choice of choices) {
    const next = MOVES[at][choice % Math.max(1, MOVES[at].length)];
    if (next === undefined) break;
    path.push(next);
    at = next;
  }
  return path;
});

t.test('the cases that cost money', async (t) => {
  t.equal(advance(undefined, 'chargebacked'), 'apply');
  t.equal(advance('chargebacked', 'approved'), 'stale');
  t.equal(advance('pending_async', 'approved'), 'apply');
  t.equal(advance('approved', 'pending_async'), 'stale');
  t.equal(advance('pending_async', 'chargebacked'), 'apply', 'over two moves');
  t.equal(advance('approved', 'declined'), 'stale');
  t.equal(advance('declined', 'chargebacked'), 'stale');
  t.equal(advance('refunded', 'chargebacked'), 'apply');
  t.equal(advance('chargebacked', 'refunded'), 'stale');
  t.equal(advance('represented', 'chargebacked'), 'apply');
  t.equal(advance('second_chargebacked', 'represented'), 'stale');
  t.equal(advance('approved', 'approved'), 'unchanged');
  t.equal(advance('approved', 'constructor'), 'ignored');
  t.equal(advance(undefined, ''), 'ignored');
  t.equal(advance('of a later version', 'approved'), 'stale');
});

t.test('every status of the protocol has a place', async (t) => {
  const protocol =
    'approved, declined, pending, pending_async, pending_hold, pending_review, in_progress, refunded, voided, error, unsuccessful, new, user, timeout, submitted, chargebacked, chargeback_reversed, represented, representment_reversed, second_chargebacked, pre_arbitrated, success';
  t.strictSame([...STATUSES].sort(), protocol.split(', ').sort());
});

t.test('a status is accepted exactly when moves lead to it', async (t) => {
  for (const from of STATUSES) {
    for (const to of STATUSES) {
      const expected = from === to ? 'unchanged' : reachable(from, to) ? 'apply' : 'stale';
      t.equal(advance(from, to), expected, `${from} -> ${to}`);
    }
  }
});

t.test('nothing comes back, but within the one circle', async (t) => {
  for (const a of STATUSES) {
    for (const b of STATUSES) {
      if (a === b || advance(a, b) !== 'apply' || advance(b, a) !== 'apply') continue;
      t.ok(CIRCLE.has(a) && CIRCLE.has(b), `${a} <-> ${b}`);
    }
  }
  for (const status of STATUSES) {
    if (!isOpen(status)) t.notOk(STATUSES.some((open) => isOpen(open) && advance(status, open) === 'apply'));
  }
});

t.test('after any sequence, no earlier status of the payment lies ahead', async () => {
  fc.assert(
    fc.property(fc.array(anyStatus, { maxLength: 20 }), (reports) => {
      const trail: string[] = [];
      for (const report of reports) {
        if (advance(trail.at(-1), report) === 'apply') trail.push(report);
      }
      const last = trail.at(-1) ?? '';
      return trail
        .slice(0, -1)
        .every(
          (earlier) => earlier === last || advance(last, earlier) === 'stale' || circular(last, earlier),
        );
    }),
  );
});

t.test('an end holds', async (t) => {
  const ends = STATUSES.filter((status) => MOVES[status].length === 0);
  t.ok(ends.length >= 5);
  fc.assert(
    fc.property(
      fc.constantFrom(...ends),
      fc.array(anyStatus),
      (end, reports) => after([end, ...reports]) === end,
    ),
  );
});

t.test('messages of one walk give its end in any order of arrival', async () => {
  const shuffled = walk.chain((path) =>
    fc.tuple(fc.constant(path), fc.shuffledSubarray(path, { minLength: path.length })),
  );
  fc.assert(
    fc.property(shuffled, ([path, arrivals]) => {
      const end = path.at(-1) ?? '';
      const last = after(arrivals) ?? '';
      return last === end || circular(last, end);
    }),
    { numRuns: 1000 },
  );
});

t.test('repeats and unknown words change nothing', async () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(anyStatus, fc.string()), { maxLength: 12 }), (reports) => {
      const doubled = reports.flatMap((report) => [report, report, `x${report}`]);
      return after(doubled) === after(reports);
    }),
  );
});

t.test('what is said of a status in words', async (t) => {
  t.strictSame(STATUSES.filter(isPaid), ['approved', 'success']);
  t.strictSame(STATUSES.filter(isPastChargeback), [
    'chargebacked',
    'chargeback_reversed',
    'represented',
    'representment_reversed',
    'second_chargebacked',
    'pre_arbitrated',
  ]);
  t.notOk(isPaid('unheard of') || isPastChargeback('unheard of'));
});

function circular(a: string, b: string): boolean {
  return isPaymentStatus(a) && isPaymentStatus(b) && CIRCLE.has(a) && CIRCLE.has(b);
}
