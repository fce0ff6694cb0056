/**
 * Which valid rows of a batch are skipped, and why: a pure function of the batch and of what the tables say about it.
 */
import type { Reason } from '../debtor/debtor.js';
import { maskValue } from '../debtor/mask.js';
import { type Batch, type CheckedColumns, wholeBic } from './batch.js';
import type { HitRow } from './sql/find-hits.js';

/** A row is skipped for the first of these that is true of it. A contract: they stand in errors.csv and in `upload_rejects`. */
export const SKIP_REASONS = {
  'blacklisted-iban': 'the IBAN is on the blacklist',
  'blacklisted-bic': "the bank's BIC is on the blacklist",
  'blacklisted-email': 'the e-mail address is on the blacklist',
  'blacklisted-name': 'the name is on the blacklist',
  'charged-back': 'an earlier payment from this IBAN was charged back, whosever it was',
  recovered: 'an earlier debtor of this IBAN has paid',
  'attempted-recently': 'a payment from this IBAN was tried within the last 30 days',
  'duplicate-in-file': 'the IBAN stands in an earlier line of this file; the value says in which',
  'duplicate-of-upload': 'the IBAN waits in an earlier upload; the value says in which',
} as const;

export type SkipCode = keyof typeof SKIP_REASONS;

/** Whether the reason is that the IBAN waits already. */
export function isDuplicate(code: string): boolean {
  return code === 'duplicate-in-file' || code === 'duplicate-of-upload';
}

const RANKS: ReadonlyMap<string, number> = new Map(
  Object.keys(SKIP_REASONS).map((code, rank) => [code, rank]),
);

/** By the number of the row among the valid ones, in their order. */
export function decideSkips(batch: Batch, hits: readonly HitRow[]): ReadonlyMap<number, Reason> {
  const byIban = new Map<string, HitRow>();
  const listed = new Map<string, Set<string>>();
  for (const hit of hits) {
    const { code, value } = hit;
    if (code === 'blacklisted-bic' || code === 'blacklisted-email' || code === 'blacklisted-name') {
      const known = listed.get(code) ?? new Set();
      listed.set(code, known.add(code === 'blacklisted-bic' ? wholeBic(value) : value));
    } else {
      const other = byIban.get(value);
      if (other === undefined || rankOf(code) < rankOf(other.code)) byIban.set(value, hit);
    }
  }
  const bics = listed.get('blacklisted-bic');
  const emails = listed.get('blacklisted-email');
  const names = listed.get('blacklisted-name');
  const values = listed.size === 0 ? undefined : batch.readListed();

  const skips = new Map<number, Reason>();
  const { keys, lines } = batch.readIbans();
  const accepted = new Map<string, number>();
  for (let number = 0; number < keys.length; number++) {
    const key = keys[number] ?? '';
    const hit = byIban.get(key);
    const bic = values?.bics[number];
    const email = values?.emails[number];
    const name = values?.names[number] ?? '';
    const skip = (code: SkipCode, column: keyof CheckedColumns, value: string) => {
      skips.set(number, { code, column: batch.columns[column], value });
    };
    if (hit?.code === 'blacklisted-iban')
      skip('blacklisted-iban', 'iban', maskValue('iban', batch.ibanOf(number)));
    else if (bic !== undefined && bics?.has(bic)) skip('blacklisted-bic', 'bic', maskValue('code', bic));
    else if (email !== undefined && emails?.has(email))
      skip('blacklisted-email', 'email', maskValue('email', email));
    else if (names?.has(name)) skip('blacklisted-name', 'name', maskValue('text', name));
    else if (hit !== undefined)
      skip(codeOf(hit), 'iban', placeOf(hit) ?? maskValue('iban', batch.ibanOf(number)));
    else {
      const line = accepted.get(key);
      if (line === undefined) accepted.set(key, lines[number] ?? 0);
      else skip('duplicate-in-file', 'iban', `line ${line}`);
    }
  }
  return skips;
}

function rankOf(code: string): number {
  return RANKS.get(code) ?? RANKS.size;
}

function codeOf({ code }: HitRow): SkipCode {
  if (!RANKS.has(code)) throw new TypeError(`no reason to skip a row: ${code}`);
  return code as SkipCode;
}

/** Where a duplicate's first is. */
function placeOf({ code, upload_id, line }: HitRow): string | undefined {
  if (code === 'duplicate-in-file') return `line ${line}`;
  return code === 'duplicate-of-upload' && upload_id !== null
    ? `upload ${upload_id}, line ${line}`
    : undefined;
}
