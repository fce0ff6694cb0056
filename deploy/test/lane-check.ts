/** What the database must hold after the load of `lane-load.ts`: everything acknowledged once, and per key in order (P1, P2, P3). */
import type { Acknowledged } from './lane-load.js';

interface Tap {
  fail(message: string): void;
  strictSame(found: unknown, wanted: unknown, message: string): void;
}

interface Database {
  query(sql: string): Promise<{ rows: object[] }>;
}

interface EventRow {
  readonly key: string;
  readonly reported_status: string | null;
  readonly payload: Buffer;
}

export async function checkLanes(t: Tap, database: Database, { kyc, payments }: Acknowledged): Promise<void> {
  const lost: string[] = [];
  const { rows } = await database.query('select key, reported_status, payload from events order by seq');
  const numbers = new Map<string, number[]>();
  const statuses = new Map<string, string[]>();
  for (const { key, reported_status, payload } of rows as EventRow[]) {
    const number = new URLSearchParams(payload.toString()).get('number');
    const byKey: Map<string, (string | number)[]> = number === null ? statuses : numbers;
    const known = byKey.get(key);
    const found = number === null ? (reported_status ?? '') : Number(number);
    if (known === undefined) byKey.set(key, [found]);
    else known.push(found);
  }
  for (const [lane, acknowledged] of kyc) {
    const stored = numbers.get(lane) ?? [];
    const there = new Set(stored);
    for (const number of acknowledged) if (!there.has(number)) lost.push(`${lane}/${number}`);
    t.strictSame(
      stored,
      [...there].sort((a, b) => a - b),
      `${lane}: each once, in order`,
    );
  }
  for (const [id, acknowledged] of payments) {
    const stored = statuses.get(id) ?? [];
    for (const status of acknowledged) if (!stored.includes(status)) lost.push(`${id}/${status}`);
    if (new Set(stored).size < stored.length) t.fail(`payment ${id} has an event twice: ${stored}`);
    if (stored.join() === 'approved,pending_async') t.fail(`payment ${id} is out of order`);
  }
  t.strictSame(lost, [], 'nothing acknowledged is lost');
  const { rows: wrong } = await database.query(
    `select p.id, p.status from payments p
     where p.status <> case when exists (select from events e where e.endpoint = p.endpoint and e.key = p.id
                                          and e.reported_status = 'approved') then 'approved' else 'pending_async' end`,
  );
  t.strictSame(wrong, [], 'every payment has the state that its events give');
}
