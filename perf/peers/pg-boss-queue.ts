/** What the server and the worker of the peer Fastify and pg-boss agree on. */

export const PG_BOSS_QUEUE = 'notifications';

export interface PgBossJob {
  readonly body: string;
  readonly receivedAtMs: number;
}
