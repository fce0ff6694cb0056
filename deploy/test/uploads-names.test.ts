/** Names of files that mean harm, all the way through a node: in by each way that names a file, out as JSON and as a header. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'content-disposition';
import t from 'tap';
import { idOf, type Posted, type UploadAnswer, UploadNode } from './upload-node.js';

const CSV = Buffer.from('iban,amount,name\n');

/** As the client names it, and what becomes of it. */
const NAMES: readonly (readonly [string, string])[] = [
  ['../../../../tmp/escaped.csv', 'escaped.csv'],
  ['/etc/passwd', 'passwd'],
  ['..\\..\\windows\\system.csv', 'system.csv'],
  ['..', 'upload'],
  ['a/..', 'upload'],
  ['%2e%2e%2fescaped.csv', '%2e%2e%2fescaped.csv'],
  ['a\0b.csv', 'ab.csv'],
  ['invoice\u202evsc.exe', 'invoicevsc.exe'],
  ['\u200f\u2067debtors\u2069.csv', 'debtors.csv'],
  ['\ufeffzero\u200bwidth.csv', 'zerowidth.csv'],
  ['line\u2028break\u0085.csv', 'linebreak.csv'],
  ['tab\tand\x1b[31mescape.csv', 'taband[31mescape.csv'],
  [`${'x'.repeat(1_000)}.csv`, `${'x'.repeat(196)}.csv`],
  ['é'.repeat(1_000), 'é'.repeat(200)],
  [`${'😀'.repeat(500)}.xlsx`, `${'😀'.repeat(195)}.xlsx`],
  ["=cmd|'/c calc'!A1.csv", "c calc'!A1.csv"],
  ['a;filename=b.csv', 'a;filename=b.csv'],
  ['Schuldner Müller & Söhne 100%.csv', 'Schuldner Müller & Söhne 100%.csv'],
  ["'; DROP TABLE uploads; --.csv", "'; DROP TABLE uploads; --.csv"],
];

t.setTimeout(60_000);

const node = await UploadNode.make(t);
await node.start();

/** For a line of the report. */
const shown = (name: string) => encodeURIComponent(name).slice(0, 80);

/** Kept only. */
const query = '?process=false';

async function named(posted: Posted): Promise<UploadAnswer> {
  return node.upload(idOf(posted));
}

/** What a browser that saves it would call it; the header as it is must be harmless too. */
async function savedAs(upload: UploadAnswer, what: 'file' | 'errors.csv'): Promise<string | undefined> {
  const { status, headers } = await node.ask('GET', `/uploads/${upload.id}/${what}`);
  if (status !== 200) throw new Error(`${what} answered ${status}`);
  const header = String(headers['content-disposition']);
  if (!/^attachment; filename[\x20-\x7e]*$/.test(header))
    throw new Error(`a header of other characters: ${header}`);
  return parse(header).parameters.filename;
}

t.test('a form names the file', async (t) => {
  for (const [given, right] of NAMES) {
    const upload = await named(await form(given));
    t.equal(upload.filename, right, shown(given));
    t.equal(await savedAs(upload, 'file'), right);
    t.ok((await savedAs(upload, 'errors.csv'))?.endsWith('.csv'));
    const found = await node.ask('GET', `/uploads?filename=${encodeURIComponent(right)}&limit=1`);
    t.match(JSON.parse(found.body), { uploads: [{ id: upload.id }] }, 'and is found by it');
  }
  t.notOk(existsSync('/tmp/escaped.csv'));
  t.notOk(existsSync(join(node.dataDir, 'escaped.csv')));
});

t.test('a line break in the header of a form does not begin another header', async (t) => {
  for (const given of ['a\r\nX-Evil: 1.csv', 'a\nb.csv', 'a"; filename="b.csv']) {
    const posted = await form(given);
    if (posted.status === 400) continue;
    const upload = await named(posted);
    t.notMatch(upload.filename, /[\r\n"]/, shown(given));
    t.equal(await savedAs(upload, 'file'), upload.filename);
  }
});

t.test('the query names the file', async (t) => {
  for (const [given, right] of NAMES) {
    const posted = await node.post(CSV, { query: `${query}&filename=${encodeURIComponent(given)}` });
    const upload = await named(posted);
    t.equal(upload.filename, right, shown(given));
    t.equal(await savedAs(upload, 'file'), right);
  }
  const quoted = await named(
    await node.post(CSV, { query: `${query}&filename=a%22%0D%0AX-Evil:%201%5C.csv` }),
  );
  t.equal(quoted.filename, '.csv', 'what is behind a backslash');
  const quote = await named(await node.post(CSV, { query: `${query}&filename=a%22%0D%0AX-Evil:%201.csv` }));
  t.equal(quote.filename, 'a"X-Evil: 1.csv');
  t.equal(await savedAs(quote, 'file'), quote.filename);
});

t.test('metadata of tus names the file', async (t) => {
  for (const [given, right] of NAMES) {
    const name = Buffer.from(given).toString('base64');
    const { status, headers } = await node.ask('POST', '/uploads/tus', {
      headers: {
        'tus-resumable': '1.0.0',
        'upload-length': String(CSV.length),
        'upload-metadata': `filename ${name}`,
      },
    });
    t.equal(status, 201);
    const location = String(headers.location);
    const upload = await node.upload(location.slice(location.lastIndexOf('/') + 1));
    t.equal(upload.filename, right, shown(given));
  }
  t.equal(await node.process.stop('SIGINT'), 0);
});

function form(filename: string): Promise<Posted> {
  const body = Buffer.from(
    `--b\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\nContent-Type: text/csv\r\n\r\n${CSV}\r\n--b--\r\n`,
  );
  return node.post(body, { query, headers: { 'content-type': 'multipart/form-data; boundary=b' } });
}
