/**
 * Reminders in Postgres: the table of migration 0003, behind the runtime's `ReminderStore`. Each call is one statement, durable
 * when it is answered.
 */
import type { Reminder, ReminderStore } from '../../runtime/stores/reminder.js';
import { recordId } from '../record-id.js';
import { escapeNul, toBytea, unescapeNul } from './columns.js';
import type { Pool } from './pool.js';

const PUT = `
  INSERT INTO reminders (owner, name, actor, key, due_at, every_ms, body)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (owner, name) DO UPDATE SET
    due_at = excluded.due_at, every_ms = excluded.every_ms, body = excluded.body`;

const COLUMNS = 'name, actor, key, due_at, every_ms, body';
const DUE = `SELECT ${COLUMNS} FROM reminders WHERE due_at <= $1 ORDER BY due_at, owner, name LIMIT $2`;

/** Only the schedule that was sent. */
const UNCHANGED = 'owner = $1 AND name = $2 AND due_at = $3 AND every_ms IS NOT DISTINCT FROM $4::bigint';
const MOVE = `UPDATE reminders SET due_at = $5 WHERE ${UNCHANGED}`;
const REMOVE = `DELETE FROM reminders WHERE ${UNCHANGED}`;

interface Row {
  readonly name: string;
  readonly actor: string;
  readonly key: string;
  readonly due_at: string;
  readonly every_ms: string | null;
  readonly body: Buffer;
}

/**
 * `close` leaves the pool to who made it.
 * @throws the store's promises reject with the errors of `toPostgresError`
 */
export function createReminderStore(pool: Pool): ReminderStore {
  return {
    async put({ actor, key, name, dueAt, everyMs, body }) {
      await pool.query(PUT, [
        recordId(actor, key),
        escapeNul(name),
        escapeNul(actor),
        escapeNul(key),
        dueAt,
        everyMs ?? null,
        toBytea(body),
      ]);
    },

    async delete(actor, key, name) {
      const { rowCount } = await pool.query('DELETE FROM reminders WHERE owner = $1 AND name = $2', [
        recordId(actor, key),
        escapeNul(name),
      ]);
      return rowCount === 1;
    },

    async due(atMs, limit) {
      const { rows } = await pool.query<Row>(DUE, [atMs, limit]);
      return rows.map(fromRow);
    },

    async next() {
      const { rows } = await pool.query<{ next: string | null }>('SELECT min(due_at) AS next FROM reminders');
      const next = rows[0]?.next ?? null;
      return next === null ? undefined : Number(next);
    },

    async advance({ actor, key, name, dueAt, everyMs }, nextDueAt) {
      const unchanged = [recordId(actor, key), escapeNul(name), dueAt, everyMs ?? null];
      const { rowCount } =
        nextDueAt === undefined
          ? await pool.query(REMOVE, unchanged)
          : await pool.query(MOVE, [...unchanged, nextDueAt]);
      return rowCount === 1;
    },

    async list(actor, key) {
      const { rows } = await pool.query<Row>(`SELECT ${COLUMNS} FROM reminders WHERE owner = $1`, [
        recordId(actor, key),
      ]);
      // Here: a server sorts by bytes, and with NUL escaped.
      return rows.map(fromRow).sort((a, b) => (a.name < b.name ? -1 : 1));
    },

    async close() {},
  };
}

function fromRow({ name, actor, key, due_at, every_ms, body }: Row): Reminder {
  return {
    actor: unescapeNul(actor),
    key: unescapeNul(key),
    name: unescapeNul(name),
    dueAt: Number(due_at),
    everyMs: every_ms === null ? undefined : Number(every_ms),
    body,
  };
}
