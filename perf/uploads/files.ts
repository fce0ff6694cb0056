/** Files of debtors for measurements, written once. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { makeDebtorCsv } from '../../actors/upload/debtor/test/make-debtor-csv.js';

/** At least `bytes` of rows; the rows repeat from block to block, which nobody reads. */
export async function writeFileOfBytes(path: string, bytes: number, seed: number): Promise<number> {
  const blocks: Buffer[] = [];
  for await (const block of makeDebtorCsv(100_000, { seed })) blocks.push(block);
  const whole = Buffer.concat(blocks);
  // On the disk before anything is measured: what is written behind holds up every sync.
  const out = createWriteStream(path, { flush: true });
  let written = 0;
  while (written < bytes) {
    if (!out.write(whole)) await once(out, 'drain');
    written += whole.length;
  }
  out.end();
  await once(out, 'close');
  return written;
}

export async function writeFileOfRows(path: string, rows: number, seed: number): Promise<number> {
  // On the disk before anything is measured: what is written behind holds up every sync.
  const out = createWriteStream(path, { flush: true });
  let written = 0;
  for await (const block of makeDebtorCsv(rows, { seed })) {
    if (!out.write(block)) await once(out, 'drain');
    written += block.length;
  }
  out.end();
  await once(out, 'close');
  return written;
}
