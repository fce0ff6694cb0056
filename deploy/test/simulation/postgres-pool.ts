/** Connections to the simulated Postgres, as `storage/postgres/pool.ts` gives them out: its errors, its limits of time. */
import { toPostgresError } from '../../../storage/postgres/errors.js';
import type { Pool, PooledConnection } from '../../../storage/postgres/pool.js';
import type { Link } from './network.js';
import type { PostgresServer } from './postgres-server.js';
import { HELLO, type PostgresConnection, type PostgresReply } from './postgres-words.js';
import type { Process } from './process.js';

export interface SimulatedPoolOptions {
  readonly process: Process;
  readonly server: PostgresServer;
  readonly link: Link;
  readonly statementMsMax: number;
  readonly connectionsMax: number;
}

const CONNECT_MS_MAX = 5_000;
const SILENCE_MS = 5_000;

export function simulatedPool(options: SimulatedPoolOptions): Pool {
  const { statementMsMax, connectionsMax, process } = options;
  const idle: Client[] = [];
  const waiting: (() => void)[] = [];
  let total = 0;

  /** A place, within the time for a connection. */
  function placed(): Promise<void> {
    if (total < connectionsMax) {
      total++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const take = () => {
        cancel();
        resolve();
      };
      const cancel = process.monotonic.after(CONNECT_MS_MAX, () => {
        waiting.splice(waiting.indexOf(take), 1);
        reject(toPostgresError(new Error('timeout exceeded when trying to connect')));
      });
      waiting.push(take);
    });
  }

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) total--;
    else next();
  }

  async function connect(): Promise<PooledConnection> {
    await placed();
    let client = idle.pop();
    while (client?.ended === true) client = idle.pop();
    if (client === undefined) {
      client = new Client(options);
      try {
        await client.query(HELLO, [], CONNECT_MS_MAX, 'timeout exceeded when trying to connect');
      } catch (error) {
        client.end();
        leave();
        throw error;
      }
    }
    const taken = client;
    return {
      query: (sql, values) =>
        taken.query(sql, values ?? [], statementMsMax + SILENCE_MS, 'Query read timeout') as never,
      copyFrom: () => Promise.reject(new Error('the simulated Postgres has no COPY')),
      release(destroy) {
        if (destroy) taken.end();
        else idle.push(taken);
        leave();
      },
    };
  }

  return {
    statementMsMax,
    connect,
    async query(sql, values) {
      const connection = await connect();
      let destroy = true;
      try {
        const result = await connection.query(sql, values);
        destroy = false;
        return result as never;
      } finally {
        connection.release(destroy);
      }
    },
    async end() {
      for (const client of idle.splice(0)) client.end();
    },
    get counts() {
      return { total, idle: idle.length, waiting: waiting.length };
    },
  };
}

/** One connection: a statement at a time. */
class Client {
  readonly #options: SimulatedPoolOptions;
  readonly #connection: PostgresConnection;
  #pending:
    | { readonly resolve: (reply: PostgresReply) => void; readonly reject: (error: Error) => void }
    | undefined;
  ended = false;

  constructor(options: SimulatedPoolOptions) {
    this.#options = options;
    this.#connection = options.server.connect(options.link, options.process, {
      arrived: (replies) => {
        for (const reply of replies) this.#pending?.resolve(reply);
      },
      ended: () => {
        this.ended = true;
        this.#pending?.reject(new Error('Connection terminated unexpectedly'));
      },
    });
  }

  async query(sql: string, values: readonly unknown[], msMax: number, late: string): Promise<unknown> {
    const { process, statementMsMax } = this.#options;
    let cancel = () => {};
    try {
      if (this.ended) throw new Error('Connection terminated');
      const reply = await new Promise<PostgresReply>((resolve, reject) => {
        this.#pending = { resolve, reject };
        cancel = process.monotonic.after(msMax, () => reject(new Error(late)));
        this.#connection.toServer({ sql, values, statementMsMax });
      });
      if ('failure' in reply)
        throw Object.assign(new Error(reply.failure.message), {
          severity: 'ERROR',
          code: reply.failure.code,
        });
      return reply;
    } catch (error) {
      throw toPostgresError(error);
    } finally {
      cancel();
      this.#pending = undefined;
    }
  }

  end(): void {
    this.ended = true;
    this.#connection.hangUp();
  }
}
