/**
 * Brings the IBANs of a table into one form: sealed with the first key, or plain. Beside nodes that run, and as often as one likes: it goes on
 * where another run ended, since a row that has the form is left alone.
 *
 * ```
 * the next 1,000 ids    by the primary key, so that no step reads more, whatever the table's size
 * BEGIN
 *   lock those that have another form      what somebody else has locked is left to the next pass: nobody waits for anybody
 *   open, seal anew                        with what the row is, which nothing changes
 *   UPDATE                                 all at once; row by row after a violation of a unique index
 * COMMIT
 * ```
 * A look-up finds a row before its step and after it, in one form or in the other (`forms.ts`): a statement sees a row in one of them. The unique indexes do
 * not see that a plain row and a sealed one have the same IBAN: such a row stays as it is, and is told (`twice`).
 */
import { PostgresConflictError, PostgresQueryError } from '../../storage/postgres/errors.js';
import { inTransaction, type Pool, type Queryable } from '../../storage/postgres/pool.js';
import { IbanKeyUnknownError, IbanSealError } from './errors.js';
import type { IbanKeys } from './keys.js';
import { type BlacklistIdentity, blacklistPlace, type DebtorIdentity, debtorPlace } from './places.js';
import { IbanSealer, keyIdOf, openIban } from './seal.js';

export type IbanTable = 'debtors' | 'blacklist';
export const IBAN_TABLES: readonly IbanTable[] = ['blacklist', 'debtors'];

export interface Converted {
  readonly table: IbanTable;
  /** Rows that have the form now and had another. */
  readonly changed: number;
  /** Rows of a key that is not there, by its id. They stay as they are, as all below. */
  readonly unknown: ReadonlyMap<string, number>;
  /** Ids of rows that do not open, the first ones. */
  readonly broken: Told;
  /** Ids of rows whose IBAN stands in another row already that has the form. */
  readonly twice: Told;
  /** Rows that others had locked in each pass. */
  readonly locked: number;
}

export interface Told {
  readonly count: number;
  readonly ids: readonly string[];
}

export interface ConvertOptions {
  /** To open, and `current` to seal. */
  readonly keys: IbanKeys;
  readonly to: 'sealed' | 'plain';
  /** Aborted: ends after the step under way. */
  readonly signal: AbortSignal;
  /** Called after each step: how far through the ids of the table, from 0 to 1. */
  readonly onStep?: (share: number) => void;
  /** Default 1,000. */
  readonly stepRows?: number;
}

const STEP_ROWS = 1_000;
const PASSES_MAX = 3;
/** A step that met a deadlock, or a server that ended, is made again. */
const TRIES_MAX = 3;
const IDS_TOLD_MAX = 10;
const UNIQUE_VIOLATION = '23505';

type Row = DebtorIdentity &
  BlacklistIdentity & { readonly iban: string | null; readonly iban_sealed: Uint8Array | null };

/** What a pass counts up. */
class Tally {
  changed = 0;
  locked = 0;
  readonly unknown = new Map<string, number>();
  readonly broken = { count: 0, ids: [] as string[] };
  readonly twice = { count: 0, ids: [] as string[] };
}

/** @throws what Postgres says, when a step failed for good */
export async function convertTable(
  pool: Pool,
  table: IbanTable,
  options: ConvertOptions,
): Promise<Converted> {
  let changed = 0;
  for (let pass = 1; ; pass++) {
    const tally = new Tally();
    await passOver(pool, table, options, tally);
    changed += tally.changed;
    if (tally.locked === 0 || pass === PASSES_MAX || options.signal.aborted) {
      return { ...tally, table, changed };
    }
  }
}

async function passOver(pool: Pool, table: IbanTable, options: ConvertOptions, tally: Tally): Promise<void> {
  const { rows: ends } = await pool.query<{ first: string; last: string }>(
    `SELECT coalesce(min(id), 0)::text AS first, coalesce(max(id), 0)::text AS last FROM ${table}`,
  );
  const [first, last] = [BigInt(ends[0]?.first ?? 0), BigInt(ends[0]?.last ?? 0)];
  for (let from = first - 1n; from < last && !options.signal.aborted; ) {
    const { rows } = await pool.query<{ last: string | null }>(
      `SELECT max(id)::text AS last FROM (SELECT id FROM ${table} WHERE id > $1 ORDER BY id LIMIT $2) step`,
      [String(from), options.stepRows ?? STEP_ROWS],
    );
    const to = rows[0]?.last ?? null;
    if (to === null) break;
    await stepWithTries(pool, table, [String(from), to], options, tally);
    from = BigInt(to);
    options.onStep?.(Number(from - first + 1n) / Number(last - first + 1n));
  }
}

async function stepWithTries(
  pool: Pool,
  table: IbanTable,
  range: readonly [string, string],
  options: ConvertOptions,
  tally: Tally,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const step = await inTransaction(pool, (transaction) => makeStep(transaction, table, range, options));
      add(tally, step);
      return;
    } catch (error) {
      if (!(error instanceof PostgresConflictError) || tries === TRIES_MAX) throw error;
    }
  }
}

async function makeStep(
  client: Queryable,
  table: IbanTable,
  [from, to]: readonly [string, string],
  { keys, to: form }: ConvertOptions,
): Promise<Tally> {
  const tally = new Tally();
  const sealer = form === 'sealed' ? new IbanSealer(keys.current) : undefined;
  const others = `${table} WHERE id > $1 AND id <= $2 AND ${otherForms(sealer)}`;
  const { rows: counts } = await client.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM ${others}`,
    [from, to],
  );
  const count = counts[0]?.count ?? 0;
  if (count === 0) return tally;
  const { rows } = await client.query<Row>(
    `SELECT id::text, iban, iban_sealed, ${table === 'debtors' ? 'upload_id, line::text, owner' : 'endpoint, payment_id'}
     FROM ${others} ORDER BY ${table}.id FOR UPDATE SKIP LOCKED`,
    [from, to],
  );
  tally.locked = Math.max(0, count - rows.length);
  const writes: Write[] = [];
  for (const row of rows) {
    const place = table === 'debtors' ? debtorPlace(row) : blacklistPlace(row);
    const iban = opened(row, place, keys, tally);
    if (iban === undefined) continue;
    writes.push(
      sealer === undefined
        ? { id: row.id, iban }
        : {
            id: row.id,
            sealed: sealer.seal(iban, place).toString('hex'),
            index: sealer.key.indexOf(iban),
          },
    );
  }
  await write(client, table, writes, tally);
  return tally;
}

/** Of rows that have not the form that `sealer` gives, or the plain one. */
function otherForms(sealer: IbanSealer | undefined): string {
  if (sealer === undefined) return 'iban_sealed IS NOT NULL';
  const { tag } = sealer.key;
  const head = sealer.head.toString('hex');
  return `(iban IS NOT NULL OR (iban_sealed IS NOT NULL AND (
    substring(iban_sealed FROM 1 FOR ${head.length / 2}) <> '\\x${head}'::bytea OR substring(iban_index FROM 1 FOR 4) <> '\\x${tag}'::bytea)))`;
}

/** The row's IBAN; undefined, and counted, when nobody can read it. */
function opened(
  { id, iban, iban_sealed: sealed }: Row,
  place: string,
  keys: IbanKeys,
  tally: Tally,
): string | undefined {
  if (iban !== null) return iban;
  if (sealed === null) return undefined;
  try {
    return openIban(keys, sealed, place);
  } catch (error) {
    if (error instanceof IbanKeyUnknownError) {
      const key = keyIdOf(sealed) ?? '';
      tally.unknown.set(key, (tally.unknown.get(key) ?? 0) + 1);
    } else if (error instanceof IbanSealError) tell(tally.broken, id);
    else throw error;
    return undefined;
  }
}

interface Write {
  readonly id: string;
  readonly iban?: string;
  readonly sealed?: string;
  readonly index?: string;
}

async function write(
  client: Queryable,
  table: IbanTable,
  writes: readonly Write[],
  tally: Tally,
): Promise<void> {
  if (writes.length === 0) return;
  await client.query('SAVEPOINT step');
  try {
    await client.query(
      `UPDATE ${table} t SET iban = w.iban, iban_sealed = decode(w.sealed, 'hex'), iban_index = decode(w.index, 'hex')
       FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS w (id, iban, sealed, index) WHERE t.id = w.id`,
      [
        writes.map(({ id }) => id),
        writes.map(({ iban }) => iban),
        writes.map(({ sealed }) => sealed),
        writes.map(({ index }) => index),
      ],
    );
    tally.changed += writes.length;
  } catch (error) {
    if (!(error instanceof PostgresQueryError && error.sqlstate === UNIQUE_VIOLATION)) throw error;
    await client.query('ROLLBACK TO step');
    const [only, ...more] = writes;
    if (only !== undefined && more.length === 0) tell(tally.twice, only.id);
    else for (const each of writes) await write(client, table, [each], tally);
  }
}

function tell(told: { count: number; ids: string[] }, id: string): void {
  told.count++;
  if (told.ids.length < IDS_TOLD_MAX) told.ids.push(id);
}

function add(tally: Tally, step: Tally): void {
  tally.changed += step.changed;
  tally.locked += step.locked;
  for (const [id, count] of step.unknown) tally.unknown.set(id, (tally.unknown.get(id) ?? 0) + count);
  for (const which of ['broken', 'twice'] as const) {
    tally[which].count += step[which].count;
    tally[which].ids.push(...step[which].ids.slice(0, IDS_TOLD_MAX - tally[which].ids.length));
  }
}
