/**
 * Rows a second of a file of debtors, from the actor's beginning to its end (read, parsed, validated, checked for duplicates and against the
 * blacklist, written), beside `psql \copy` of the same file into a table of text columns without an index, in the same server.
 */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DEBTOR_CSV_HEADER } from '../../actors/upload/debtor/test/make-debtor-csv.js';
import { writeFileOfRows } from './files.js';
import type { UploadNode } from './node.js';
import { put } from './transfer.js';

export interface RowsRound {
  /** Rows a second. */
  readonly tether: number;
  readonly copy: number;
}

const DEADLINE_MS = 600_000;
const run = promisify(execFile);

export async function measureRows(
  node: UploadNode,
  directory: string,
  options: { readonly rounds: number; readonly rows: number; note(text: string): void },
): Promise<readonly RowsRound[]> {
  const rounds: RowsRound[] = [];
  const file = join(directory, 'rows.csv');
  for (let round = 0; round < options.rounds; round++) {
    await writeFileOfRows(file, options.rows, 10 + round);
    const { ids } = await put(['tether', node.url, node.token], [{ file, name: `rows-${round}.csv` }]);
    const upload = await node.settled(ids[0] ?? '', ['completed'], DEADLINE_MS);
    if (upload.counts.accepted !== options.rows) {
      throw new Error(`${upload.counts.accepted} of ${options.rows} rows were accepted`);
    }
    const seconds = (Date.parse(upload.finishedAt ?? '') - Date.parse(upload.startedAt ?? '')) / 1_000;
    rounds.push({
      tether: options.rows / seconds,
      copy: options.rows / (await copySeconds(node.databaseUrl, file)),
    });
    options.note(`rows, round ${round + 1} of ${options.rounds}`);
  }
  rmSync(file);
  return rounds;
}

/** Needs Debian's package postgresql-client. */
async function copySeconds(databaseUrl: string, file: string): Promise<number> {
  const psql = (command: string) => run('psql', [databaseUrl, '-q', '-v', 'ON_ERROR_STOP=1', '-c', command]);
  const columns = DEBTOR_CSV_HEADER.map((name) => `${name} text`).join(', ');
  await psql(`DROP TABLE IF EXISTS bench_rows; CREATE TABLE bench_rows (${columns})`);
  const startMs = performance.now();
  await psql(`\\copy bench_rows FROM '${file}' WITH (FORMAT csv, HEADER)`);
  const seconds = (performance.now() - startMs) / 1_000;
  await psql('DROP TABLE bench_rows');
  return seconds;
}
