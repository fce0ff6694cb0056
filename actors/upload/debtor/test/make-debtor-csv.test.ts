import t from 'tap';
import { compileColumns } from '../columns.js';
import { readDebtor } from '../read-debtor.js';
import {
  DEBTOR_CSV_HEADER,
  type DebtorCsvOptions,
  debtorCsvCounts,
  debtorRowKind,
  makeDebtorCsv,
} from './make-debtor-csv.js';

async function made(rows: number, options?: DebtorCsvOptions): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of makeDebtorCsv(rows, options)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

t.test('each row becomes what was announced', async (t) => {
  const options = {
    seed: 3,
    invalidShare: 0.1,
    duplicateShare: 0.05,
    delimiter: ';',
    chunkBytes: 1_000,
  } as const;
  const text = await made(10_000, options);
  const [header = '', ...lines] = text.trimEnd().split('\n');
  t.strictSame(header.split(';'), DEBTOR_CSV_HEADER);
  t.equal(lines.length, 10_000);
  const columns = compileColumns(header.split(';'));
  const seen = new Set<string>();
  const codes = new Set<string>();
  const found = { valid: 0, invalid: 0, duplicate: 0 };
  for (const [i, line] of lines.entries()) {
    const read = readDebtor(columns, line.split(';'));
    const kind = read.outcome === 'invalid' ? 'invalid' : seen.has(read.debtor.iban) ? 'duplicate' : 'valid';
    if (read.outcome === 'valid') seen.add(read.debtor.iban);
    else {
      t.equal(read.reasons.length, 1);
      for (const { code } of read.reasons) codes.add(code);
    }
    found[kind]++;
    if (kind !== debtorRowKind(i, options)) t.equal(kind, debtorRowKind(i, options), line);
  }
  t.strictSame(found, debtorCsvCounts(10_000, options));
  t.strictSame(found, { valid: 8_500, invalid: 1_000, duplicate: 500 });
  t.equal(codes.size, 10);
});

t.test('the same for a seed, whatever the buffers', async (t) => {
  t.equal(await made(500, { seed: 1 }), await made(500, { seed: 1, chunkBytes: 100 }));
  t.not(await made(500, { seed: 1 }), await made(500, { seed: 2 }));
  t.match(await made(2, { lineEnd: '\r\n' }), /^[^\n]+\r\n[^\n]+\r\n[^\n]+\r\n$/);
  t.strictSame((await made(0)).split('\n'), [DEBTOR_CSV_HEADER.join(','), '']);
});
