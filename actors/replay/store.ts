/**
 * Replays in Postgres: table `replays`. The row is the truth: who commands a replay writes its state, and the actor that works on it finds it there, at
 * each page.
 *
 * A page is noted behind its cursor (`AND cursor IS NOT DISTINCT FROM ...`): of two that work on a replay, after a lease was lost, one notes it.
 */
import type { PartitionEpoch } from '../../runtime/actor.js';
import { holdEpochs } from '../../storage/postgres/fence.js';
import { inTransaction, type Pool, type Queryable } from '../../storage/postgres/pool.js';
import type { LeftOut } from './deliveries.js';
import { TYPE } from './message.js';
import type { ReplaySelection } from './selection.js';
import { type ReplayState, statesBefore } from './state.js';

/** At once, of all nodes. */
export const RUNNING_MAX = 4;
/** That wait, run or are paused. */
export const OPEN_MAX = 100;

export interface Replay {
  readonly id: string;
  readonly state: ReplayState;
  readonly selection: ReplaySelection;
  readonly target: string | undefined;
  readonly forced: boolean;
  /** Events a second, at most. */
  readonly rate: number;
  readonly cursor: string | undefined;
  readonly total: number | undefined;
  readonly told: number;
  readonly deliveries: number;
  readonly leftOut: Readonly<Partial<Record<LeftOut, number>>>;
  readonly workedMs: number;
  /** Milliseconds since the epoch, as the others. */
  readonly createdAt: number;
  readonly createdBy: string;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly reason: string | undefined;
}

export type NewReplay = Pick<
  Replay,
  'id' | 'selection' | 'target' | 'forced' | 'rate' | 'total' | 'createdBy'
>;

/** What a page adds. */
export interface Progress extends Pick<Replay, 'told' | 'deliveries' | 'leftOut' | 'workedMs'> {
  readonly cursor: string | undefined;
  /** It was the last one. */
  readonly isEnd: boolean;
}

interface Row {
  readonly id: string;
  readonly state: ReplayState;
  readonly selection: ReplaySelection;
  readonly target: string | null;
  readonly forced: boolean;
  readonly rate: number;
  readonly cursor: string | null;
  readonly total: number | null;
  readonly told: number;
  readonly deliveries: number;
  readonly left_out: Replay['leftOut'];
  readonly worked_ms: number;
  readonly created_at: number;
  readonly created_by: string;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly reason: string | null;
}

const REASON_CHARS_MAX = 500;

const COLUMNS = `id, state, selection, target, forced, rate, cursor, total::float8, told::float8, deliveries::float8, left_out,
  worked_ms::float8, (extract(epoch FROM created_at) * 1000)::float8 AS created_at, created_by,
  (extract(epoch FROM started_at) * 1000)::float8 AS started_at, (extract(epoch FROM ended_at) * 1000)::float8 AS ended_at, reason`;

const ENDED = `CASE WHEN $2 IN ('cancelled', 'failed') THEN clock_timestamp() END`;

export class ReplayStore {
  readonly #pool: Pool;
  readonly #fencedBy: string | undefined;

  /** @param fencedBy of who works on replays; who only commands them needs none */
  constructor(pool: Pool, fencedBy: string | undefined = undefined) {
    this.#pool = pool;
    this.#fencedBy = fencedBy;
  }

  /** @returns false: there are `OPEN_MAX` already */
  async add({ id, selection, target, forced, rate, total, createdBy }: NewReplay): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `INSERT INTO replays (id, state, selection, target, forced, rate, total, created_by)
       SELECT $1, 'waiting', $2, $3, $4, $5, $6, $7
       WHERE (SELECT count(*) FROM replays WHERE state IN ('waiting', 'running', 'paused')) < ${OPEN_MAX}`,
      [id, JSON.stringify(selection), target ?? null, forced, rate, total ?? null, createdBy],
    );
    return rowCount === 1;
  }

  async get(id: string): Promise<Replay | undefined> {
    const { rows } = await this.#pool.query<Row>(`SELECT ${COLUMNS} FROM replays WHERE id = $1`, [id]);
    return rows[0] && fromRow(rows[0]);
  }

  /** The newest first. @param before only those older than the replay of this id */
  async list(
    states: readonly ReplayState[],
    before: string | undefined,
    limit: number,
  ): Promise<readonly Replay[]> {
    const { rows } = await this.#pool.query<Row>(
      `SELECT ${COLUMNS} FROM replays WHERE state = ANY ($1) AND ($2::uuid IS NULL OR id < $2::uuid) ORDER BY id DESC LIMIT $3`,
      [states, before ?? null, limit],
    );
    return rows.map(fromRow);
  }

  /** @returns it, as it is then; undefined when it may not become so */
  async become(
    id: string,
    next: ReplayState,
    reason: string | undefined = undefined,
  ): Promise<Replay | undefined> {
    const { rows } = await this.#pool.query<Row>(
      `UPDATE replays SET state = $2, reason = $4, ended_at = ${ENDED} WHERE id = $1 AND state = ANY ($3) RETURNING ${COLUMNS}`,
      [id, next, statesBefore(next), reason?.slice(0, REASON_CHARS_MAX) ?? null],
    );
    return rows[0] && fromRow(rows[0]);
  }

  /** From `waiting` to `running`, when fewer than `RUNNING_MAX` others run. Whether it did. */
  begin(id: string, epochs: readonly PartitionEpoch[]): Promise<boolean> {
    return this.#fenced(epochs, async (client) => {
      // Two that began at once would each count without the other.
      await client.query('LOCK TABLE replays IN SHARE ROW EXCLUSIVE MODE');
      const { rowCount } = await client.query(
        `UPDATE replays SET state = 'running', started_at = coalesce(started_at, clock_timestamp())
         WHERE id = $1 AND state = ANY ($2) AND (SELECT count(*) FROM replays WHERE state = 'running') < ${RUNNING_MAX}`,
        [id, statesBefore('running')],
      );
      return rowCount === 1;
    });
  }

  /** @returns the state that it has now; undefined when somebody else has noted a page meanwhile */
  progress(
    { id, cursor }: Pick<Replay, 'id' | 'cursor'>,
    { cursor: next, told, deliveries, leftOut, workedMs, isEnd }: Progress,
    epochs: readonly PartitionEpoch[],
  ): Promise<ReplayState | undefined> {
    return this.#fenced(epochs, async (client) => {
      const { rows } = await client.query<{ state: ReplayState }>(
        `UPDATE replays r SET cursor = $3, told = told + $4, deliveries = deliveries + $5, worked_ms = worked_ms + $6,
           left_out = (
             SELECT coalesce(jsonb_object_agg(name, n), '{}') FROM (
               SELECT name, sum(value::bigint) AS n FROM (
                 SELECT * FROM jsonb_each_text(r.left_out) UNION ALL SELECT * FROM jsonb_each_text($7::jsonb)
               ) AS each (name, value) GROUP BY name) AS sums),
           state = CASE WHEN $8 AND state = ANY ($9) THEN 'done' ELSE state END,
           ended_at = CASE WHEN $8 AND state = ANY ($9) THEN clock_timestamp() ELSE ended_at END
         WHERE id = $1 AND cursor IS NOT DISTINCT FROM $2::uuid RETURNING state`,
        [
          id,
          cursor ?? null,
          next ?? null,
          told,
          deliveries,
          Math.trunc(workedMs),
          JSON.stringify(leftOut),
          isEnd,
          statesBefore('done'),
        ],
      );
      return rows[0]?.state;
    });
  }

  #fenced<T>(epochs: readonly PartitionEpoch[], work: (client: Queryable) => Promise<T>): Promise<T> {
    const fencedBy = this.#fencedBy;
    return inTransaction(this.#pool, async (client) => {
      if (fencedBy !== undefined) await holdEpochs(client, fencedBy, TYPE, epochs);
      return work(client);
    });
  }
}

function fromRow(row: Row): Replay {
  return {
    id: row.id,
    state: row.state,
    selection: row.selection,
    target: row.target ?? undefined,
    forced: row.forced,
    rate: row.rate,
    cursor: row.cursor ?? undefined,
    total: row.total ?? undefined,
    told: row.told,
    deliveries: row.deliveries,
    leftOut: row.left_out,
    workedMs: row.worked_ms,
    createdAt: Math.round(row.created_at),
    createdBy: row.created_by,
    startedAt: row.started_at === null ? undefined : Math.round(row.started_at),
    endedAt: row.ended_at === null ? undefined : Math.round(row.ended_at),
    reason: row.reason ?? undefined,
  };
}
