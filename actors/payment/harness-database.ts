/** For tests: a real Postgres of the test's own, with the tables of this version. */
import pg from 'pg';
import type { Test } from 'tap';
import { UP } from '../../storage/postgres/migrations/0002-payments.js';
import { startTestPostgres } from '../../storage/postgres/testing.js';

export async function openDatabase(t: Pick<Test, 'teardown'>) {
  const server = await startTestPostgres();
  const client = new pg.Pool({ connectionString: server.url, max: 1 });
  client.on('error', () => {});
  await client.query(UP);
  t.teardown(async () => {
    await client.end();
    await server.close();
  });
  return {
    url: server.url,
    server,
    rows: async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
      (await client.query<Row>(text, values)).rows,
  };
}
