/**
 * Deliveries that wait for their target, in Postgres: table `forwards`.
 *
 * They wait here and not on the log, because what waits on the log holds up whatever stands behind it on its partition, and the space of the
 * whole log: a target may be away for days. Here a delivery holds up its own key, and nothing else.
 *
 * Of a key the first by `seq` is the one that is tried. Nothing else is ever read of it, so that a key with a million deliveries costs what one
 * with two does.
 */
import type { PartitionEpoch } from '../../runtime/actor.js';
import type { Envelope } from '../../runtime/envelope.js';
import { escapeNul, replaceNul, toBytea, unescapeNul } from '../../storage/postgres/columns.js';
import { holdEpochs } from '../../storage/postgres/fence.js';
import { inTransaction, type Pool } from '../../storage/postgres/pool.js';

export interface Waiting {
  readonly seq: string;
  readonly envelope: Envelope;
  /** That failed. */
  readonly attempts: number;
  /** Milliseconds since the epoch: of the first attempt, and of the next. */
  readonly since: number;
  readonly dueAt: number;
}

interface Row {
  readonly seq: string;
  readonly id: string;
  readonly key: string;
  readonly dedupe: string;
  readonly received_at: string;
  readonly traceparent: string;
  readonly payload: Buffer;
  readonly attempts: number;
  readonly since: string;
  readonly due_at: string;
}

const REASON_CHARS_MAX = 200;

/** A message that comes from the log once more waits once. */
const PUT = `
INSERT INTO forwards (id, key, dedupe, received_at, traceparent, payload, attempts, since, due_at, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (key, id) DO NOTHING`;

const FIRST = `
SELECT seq, id, key, dedupe, received_at, traceparent, payload, attempts, since, due_at
FROM forwards WHERE key = $1 ORDER BY seq LIMIT 1`;

export class WaitingDeliveries {
  readonly #pool: Pool;
  readonly #actor: string;
  readonly #fencedBy: string | undefined;

  constructor(pool: Pool, actor: string, fencedBy: string | undefined) {
    this.#pool = pool;
    this.#actor = actor;
    this.#fencedBy = fencedBy;
  }

  async put(
    { id, key, dedupe, receivedAt, traceparent, payload }: Readonly<Omit<Envelope, 'actor'>>,
    how: Pick<Waiting, 'attempts' | 'since' | 'dueAt'> & { readonly reason: string },
    epochs: readonly PartitionEpoch[],
  ): Promise<void> {
    const { attempts, since, dueAt, reason } = how;
    await this.#write(
      PUT,
      [
        id,
        escapeNul(key),
        escapeNul(dedupe),
        Math.trunc(receivedAt),
        traceparent,
        toBytea(payload),
        attempts,
        Math.trunc(since),
        Math.trunc(dueAt),
        bounded(reason),
      ],
      epochs,
    );
  }

  /** When the first of a key is due; undefined when none waits. */
  async dueAt(key: string): Promise<number | undefined> {
    const { rows } = await this.#pool.query<{ due_at: string }>(
      'SELECT due_at FROM forwards WHERE key = $1 ORDER BY seq LIMIT 1',
      [escapeNul(key)],
    );
    return rows[0] && Number(rows[0].due_at);
  }

  async first(key: string): Promise<Waiting | undefined> {
    const { rows } = await this.#pool.query<Row>(FIRST, [escapeNul(key)]);
    const [row] = rows;
    if (row === undefined) return undefined;
    return {
      seq: row.seq,
      envelope: {
        id: row.id,
        actor: this.#actor,
        key: unescapeNul(row.key),
        dedupe: unescapeNul(row.dedupe),
        receivedAt: Number(row.received_at),
        traceparent: row.traceparent,
        payload: row.payload,
      },
      attempts: row.attempts,
      since: Number(row.since),
      dueAt: Number(row.due_at),
    };
  }

  async postpone(
    seq: string,
    how: Pick<Waiting, 'attempts' | 'dueAt'> & { readonly reason: string },
    epochs: readonly PartitionEpoch[],
  ): Promise<void> {
    await this.#write(
      'UPDATE forwards SET attempts = $2, due_at = $3, reason = $4 WHERE seq = $1',
      [seq, how.attempts, Math.trunc(how.dueAt), bounded(how.reason)],
      epochs,
    );
  }

  /** It is delivered, or a dead letter. */
  async remove(seq: string, epochs: readonly PartitionEpoch[]): Promise<void> {
    await this.#write('DELETE FROM forwards WHERE seq = $1', [seq], epochs);
  }

  async #write(sql: string, values: readonly unknown[], epochs: readonly PartitionEpoch[]): Promise<void> {
    const fencedBy = this.#fencedBy;
    if (fencedBy === undefined) {
      await this.#pool.query(sql, values);
      return;
    }
    await inTransaction(this.#pool, async (transaction) => {
      await holdEpochs(transaction, fencedBy, this.#actor, epochs);
      await transaction.query(sql, values);
    });
  }
}

function bounded(reason: string): string {
  return replaceNul(reason.slice(0, REASON_CHARS_MAX));
}
