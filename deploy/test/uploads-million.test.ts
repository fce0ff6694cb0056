/**
 * A large file of debtors, end to end through a node: it is sent as it is made, watched as it is processed, and comes back as it was; of its rows
 * each is accounted for.
 *
 * UPLOAD_ROWS=1000000 is the file that the name speaks of; the default is smaller, for machines that are busy.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import t from 'tap';
import { request } from 'undici';
import { debtorRowKind, makeDebtorCsv } from '../../actors/upload/debtor/test/make-debtor-csv.js';
import { expectedCounts } from './debtor-file.js';
import { idOf, type UploadAnswer, UploadNode } from './upload-node.js';

const ROWS = Number(process.env.UPLOAD_ROWS ?? 100_000);
const OPTIONS = { seed: 7, invalidShare: 0.03, duplicateShare: 0.02 };
const MS_MAX = 60_000 + ROWS / 5;

t.setTimeout(MS_MAX);

interface Told {
  readonly version: number;
  readonly event: string;
  readonly upload: UploadAnswer;
}

t.test(`${ROWS} rows`, async (t) => {
  const node = await UploadNode.make(t);
  await node.start();
  const expected = expectedCounts(ROWS, OPTIONS);

  const hash = createHash('sha256');
  let bytes = 0;
  const body = Readable.from(
    (async function* () {
      for await (const chunk of makeDebtorCsv(ROWS, OPTIONS)) {
        hash.update(chunk);
        bytes += chunk.length;
        yield chunk;
      }
    })(),
  );
  const began = performance.now();
  const id = idOf(
    await node.post(body, { query: '?filename=debtors.csv', headers: { 'content-type': 'text/csv' } }),
  );
  const sha256 = hash.digest('hex');
  const postedMs = performance.now() - began;

  const told: Told[] = [];
  for await (const event of eventsOf(node, id)) told.push(event);
  const processedMs = performance.now() - began - postedMs;
  t.comment(
    `${Math.round(bytes / 2 ** 20)} MiB sent in ${Math.round(postedMs)} ms, processed in ${Math.round(processedMs)} ms, ${told.length} events`,
  );

  const last = told.at(-1);
  t.match(last, { event: 'end', upload: { state: 'completed', sha256, bytes, processedBytes: bytes } });
  t.strictSame(last?.upload.counts, expected);
  t.ok(told.length > 2, 'it was seen at work');
  for (const [n, { version, upload }] of told.entries()) {
    const before = told[n - 1];
    if (before === undefined) continue;
    const { counts, processedBytes } = before.upload;
    const grows =
      version > before.version &&
      upload.processedBytes >= processedBytes &&
      (['total', 'accepted', 'invalid', 'skipped'] as const).every((of) => upload.counts[of] >= counts[of]);
    if (!grows) t.fail('progress goes on', { before, next: told[n] });
  }

  const pool = await node.pool();
  const { rows } = await pool.query<{ debtors: number; accounts: number; lines: number }>(
    `SELECT count(*)::int AS debtors, count(DISTINCT iban)::int AS accounts, count(DISTINCT line)::int AS lines
     FROM debtors WHERE upload_id = $1`,
    [id],
  );
  const { accepted } = expected;
  t.strictSame({ ...rows[0] }, { debtors: accepted, accounts: accepted, lines: accepted });

  t.strictSame(
    wrongLines(await linesOf(node, id)),
    [],
    'errors.csv has the rows that were not accepted, each once',
  );
  t.equal(await hashOf(node, id), sha256, 'and the file comes back as it was sent');
  t.equal(await node.process.stop('SIGINT'), 0);
});

/** What `GET /uploads/{id}/events` tells until its end. */
async function* eventsOf(node: UploadNode, id: string): AsyncGenerator<Told> {
  let text = '';
  for await (const chunk of await open(node, `/uploads/${id}/events`)) {
    text += (chunk as Buffer).toString();
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const),
      );
      text = text.slice(end + 2);
      const data = fields.get('data');
      if (data === undefined) continue;
      const upload = JSON.parse(data) as UploadAnswer;
      yield { version: Number(fields.get('id')), event: fields.get('event') ?? '', upload };
    }
  }
}

/** Line and outcome of each row of errors.csv; no cell of it has a line break. */
async function linesOf(node: UploadNode, id: string): Promise<readonly (readonly [number, string])[]> {
  let text = '';
  for await (const chunk of await open(node, `/uploads/${id}/errors.csv`))
    text += (chunk as Buffer).toString();
  const [, ...rows] = text.trim().split(/\r?\n/);
  return rows.map((row) => {
    const [line = '', outcome = ''] = row.split(',');
    return [Number(line), outcome];
  });
}

function wrongLines(lines: readonly (readonly [number, string])[]): readonly string[] {
  const wrong: string[] = [];
  let at = 0;
  for (let index = 0; index < ROWS; index++) {
    const kind = debtorRowKind(index, OPTIONS);
    if (kind === 'valid') continue;
    const right = `${index + 2} ${kind === 'invalid' ? 'invalid' : 'skipped'}`;
    const found = lines[at++]?.join(' ');
    if (found !== right && wrong.length < 10) wrong.push(`${found}, not ${right}`);
  }
  if (at !== lines.length) wrong.push(`${lines.length} lines, not ${at}`);
  return wrong;
}

async function hashOf(node: UploadNode, id: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of await open(node, `/uploads/${id}/file`)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function open(node: UploadNode, path: string): Promise<AsyncIterable<unknown>> {
  const { statusCode, body } = await request(`${node.url}${path}`, {
    headers: { authorization: node.authorization },
    bodyTimeout: MS_MAX,
  });
  if (statusCode !== 200) throw new Error(`${path} answered ${statusCode}`);
  return body;
}
