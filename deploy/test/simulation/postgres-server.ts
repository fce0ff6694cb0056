/**
 * A simulated Postgres: what the statements do that a take-over and an actor of the simulation send, with their locks (READ COMMITTED). A lock is
 * held until its transaction ends; a statement that needs one waits; what was not committed is gone with its connection. COMMIT is durable.
 *
 * | table              | key                    | locks                                                                    |
 * |--------------------|------------------------|--------------------------------------------------------------------------|
 * | `partition_epochs` | log, actor, partition  | `raiseEpochs` alone, `holdEpochs` together with others                    |
 * | effects            | dedupe                 | who inserts a row; another one with the same key waits for its transaction |
 * | dead letters       | id                     | none                                                                     |
 */
import { Connection, type End, type Link } from './network.js';
import {
  DEAD_LETTERS,
  EFFECTS,
  type Effect,
  HELLO,
  type PostgresConnection,
  type PostgresReply,
  type PostgresRequest,
} from './postgres-words.js';
import { type Machine, Process } from './process.js';
import type { Timeline } from './timeline.js';

/** Ways to break it on purpose. */
export interface PostgresFlaws {
  /** `holdEpochs` finds every epoch good. */
  readonly noEpochCheck?: boolean;
  /** `raiseEpochs` does not wait for those who hold the epoch before. */
  readonly noWait?: boolean;
  /** An effect takes place though its deduplication row is there. */
  readonly noDedupe?: boolean;
}

const IDLE_IN_TRANSACTION_MS_MAX = 5_000;

interface EpochRow {
  epoch: number;
  readonly holders: Set<Session>;
  raiser: Session | undefined;
}

interface Session {
  readonly connection: PostgresConnection;
  mode: 'idle' | 'in-transaction' | 'failed' | 'over';
  /** The statement that waits for a lock. */
  waiting: { readonly request: PostgresRequest; readonly cancel: () => void } | undefined;
  /** For one lock, of the transaction; 0: as long as the statement may take. */
  lockMsMax: number;
  raised: Map<string, number>;
  effects: Effect[];
  cancelIdle: () => void;
  /** The client is gone: noticed when there is something to tell it. */
  isLeft: boolean;
}

export class PostgresServer {
  readonly machine: Machine;
  process: Process;
  /** In the order of their commits. */
  readonly effects: Effect[] = [];
  readonly dead = new Set<string>();
  /** Effects of an epoch that had been overtaken. */
  readonly zombies: Effect[] = [];
  readonly #timeline: Timeline;
  readonly #flaws: PostgresFlaws;
  #sessions = new Set<Session>();
  readonly #epochs = new Map<string, EpochRow>();
  readonly #dedupes = new Map<string, Session | 'committed'>();

  constructor(timeline: Timeline, machine: Machine, flaws: PostgresFlaws) {
    this.#timeline = timeline;
    this.machine = machine;
    this.#flaws = flaws;
    this.process = new Process(timeline, machine);
  }

  connect(link: Link, client: Process, atClient: End<PostgresReply>): PostgresConnection {
    let session: Session | undefined;
    const connection: PostgresConnection = new Connection<PostgresRequest, PostgresReply>(
      link,
      client,
      atClient,
      this.process,
      {
        arrived: (requests) => {
          session ??= this.#open(connection);
          for (const request of requests) this.#begin(session, request);
        },
        ended: () => {
          if (session === undefined) return;
          session.isLeft = true;
          if (session.waiting === undefined) this.#close(session);
        },
      },
    );
    return connection;
  }

  /** @param withoutWord clients find out when it is there again */
  crash(withoutWord: boolean): void {
    this.process.end(withoutWord);
    const sessions = this.#sessions;
    this.#sessions = new Set();
    for (const session of sessions) this.#rollBack(session, 'over');
  }

  start(): void {
    if (this.process.mode !== 'dead') return;
    this.process.replaced = true;
    this.process = new Process(this.#timeline, this.machine);
  }

  #open(connection: PostgresConnection): Session {
    const session: Session = {
      connection,
      mode: 'idle',
      waiting: undefined,
      lockMsMax: 0,
      raised: new Map(),
      effects: [],
      cancelIdle: () => {},
      isLeft: false,
    };
    this.#sessions.add(session);
    return session;
  }

  #close(session: Session): void {
    this.#sessions.delete(session);
    this.#rollBack(session, 'over');
    session.connection.shut();
    this.#wake();
  }

  #begin(session: Session, request: PostgresRequest): void {
    if (session.mode === 'over') return;
    session.cancelIdle();
    if (this.#try(session, request)) return;
    const { monotonic } = this.process;
    const isLockFirst = session.lockMsMax > 0 && session.lockMsMax < request.statementMsMax;
    const cancel = monotonic.after(isLockFirst ? session.lockMsMax : request.statementMsMax, () => {
      session.waiting = undefined;
      session.mode = 'failed';
      if (isLockFirst) this.#fail(session, '55P03', 'canceling statement due to lock timeout');
      else this.#fail(session, '57014', 'canceling statement due to statement timeout');
    });
    session.waiting = { request, cancel };
  }

  /** Statements that wait, in the order in which they began. */
  #wake(): void {
    for (const session of [...this.#sessions]) {
      const { waiting } = session;
      if (waiting === undefined || !this.#try(session, waiting.request)) continue;
      waiting.cancel();
      session.waiting = undefined;
    }
  }

  /** False: it waits for a lock. */
  #try(session: Session, { sql, values }: PostgresRequest): boolean {
    if (session.mode === 'failed' && sql !== 'ROLLBACK' && sql !== 'COMMIT') {
      this.#fail(session, '25P02', 'current transaction is aborted');
      return true;
    }
    const rows = this.#run(session, sql, values);
    if (rows === undefined) return false;
    this.#answer(session, { command: sql === 'COMMIT' && rows === FAILED ? 'ROLLBACK' : sql, rows });
    return true;
  }

  #run(session: Session, sql: string, values: readonly unknown[]): readonly unknown[] | undefined {
    if (sql === HELLO) return [];
    if (sql.startsWith('BEGIN')) {
      session.mode = 'in-transaction';
      return [];
    }
    if (sql === 'COMMIT') {
      const rows = session.mode === 'failed' ? FAILED : [];
      if (rows === FAILED) this.#rollBack(session, 'idle');
      else this.#commit(session);
      this.#wake();
      return rows;
    }
    if (sql === 'ROLLBACK') {
      this.#rollBack(session, 'idle');
      this.#wake();
      return [];
    }
    const lockTimeout = /^SET LOCAL lock_timeout = (\d+)$/.exec(sql);
    if (lockTimeout !== null) {
      session.lockMsMax = Number(lockTimeout[1]);
      return [];
    }
    if (sql.includes('INSERT INTO partition_epochs')) return this.#raise(session, values);
    if (sql.includes('FOR SHARE OF e')) return this.#hold(session, values);
    if (sql === EFFECTS) return this.#insert(session, values[0] as readonly Effect[]);
    if (sql === DEAD_LETTERS) {
      for (const dedupe of values[0] as readonly string[]) this.dead.add(dedupe);
      return [];
    }
    throw new Error(`the simulated Postgres does not know the statement ${sql}`);
  }

  #raise(session: Session, values: readonly unknown[]): readonly unknown[] | undefined {
    const rows: unknown[] = [];
    for (const [row, key, partition, epoch] of this.#rowsOf(values)) {
      if (row.raiser !== undefined && row.raiser !== session) return undefined;
      if (this.#flaws.noWait !== true && [...row.holders].some((holder) => holder !== session))
        return undefined;
      row.raiser = session;
      if ((session.raised.get(key) ?? row.epoch) >= epoch) continue;
      session.raised.set(key, epoch);
      rows.push({ partition });
    }
    return rows;
  }

  #hold(session: Session, values: readonly unknown[]): readonly unknown[] | undefined {
    const rows: unknown[] = [];
    for (const [row, , partition, epoch] of this.#rowsOf(values)) {
      if (this.#flaws.noEpochCheck !== true) {
        if (row.raiser !== undefined && row.raiser !== session) return undefined;
        if (row.epoch !== epoch) continue;
        row.holders.add(session);
      }
      rows.push({ partition });
    }
    return rows;
  }

  *#rowsOf([log, actor, partitions, epochs]: readonly unknown[]): Iterable<
    readonly [row: EpochRow, key: string, partition: number, epoch: number]
  > {
    for (const [at, partition] of (partitions as readonly number[]).entries()) {
      const key = `${log}/${actor}/${partition}`;
      let row = this.#epochs.get(key);
      if (row === undefined) {
        row = { epoch: 0, holders: new Set(), raiser: undefined };
        this.#epochs.set(key, row);
      }
      yield [row, key, partition, (epochs as readonly number[])[at] as number];
    }
  }

  #insert(session: Session, effects: readonly Effect[]): readonly unknown[] | undefined {
    for (const effect of effects) {
      const name = `${effect.actor}/${effect.dedupe}`;
      const owner = this.#dedupes.get(name);
      if (this.#flaws.noDedupe !== true) {
        if (owner === 'committed' || owner === session) continue;
        if (owner !== undefined) return undefined;
      }
      this.#dedupes.set(name, session);
      session.effects.push(effect);
    }
    return [];
  }

  #commit(session: Session): void {
    for (const [key, epoch] of session.raised) {
      const row = this.#epochs.get(key);
      if (row !== undefined) row.epoch = epoch;
    }
    for (const effect of session.effects) {
      this.#dedupes.set(`${effect.actor}/${effect.dedupe}`, 'committed');
      this.effects.push(effect);
      for (const [key, { epoch }] of this.#epochs) {
        if (key.endsWith(`/${effect.actor}/${effect.partition}`) && epoch > effect.epoch)
          this.zombies.push(effect);
      }
    }
    session.effects = [];
    this.#rollBack(session, 'idle');
  }

  /** Gives back its locks, and what it has not committed. */
  #rollBack(session: Session, mode: 'idle' | 'over'): void {
    session.cancelIdle();
    session.waiting?.cancel();
    session.waiting = undefined;
    for (const row of this.#epochs.values()) {
      row.holders.delete(session);
      if (row.raiser === session) row.raiser = undefined;
    }
    for (const { actor, dedupe } of session.effects) {
      if (this.#dedupes.get(`${actor}/${dedupe}`) === session) this.#dedupes.delete(`${actor}/${dedupe}`);
    }
    session.raised = new Map();
    session.lockMsMax = 0;
    session.effects = [];
    session.mode = mode;
  }

  #fail(session: Session, code: string, message: string): void {
    this.#answer(session, { failure: { code, message } });
  }

  #answer(session: Session, reply: PostgresReply): void {
    session.connection.toClient(reply);
    if (session.isLeft) {
      this.#close(session);
      return;
    }
    if (session.mode === 'in-transaction' || session.mode === 'failed')
      session.cancelIdle = this.process.monotonic.after(IDLE_IN_TRANSACTION_MS_MAX, () =>
        this.#close(session),
      );
  }
}

const FAILED: readonly unknown[] = [];
