import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startTestUploads, type TestUploads } from '../../gateway/uploads/test/start.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { freePort } from '../../storage/test-free-port.js';
import type { ImportSummary } from '../import/import-files.js';
import { spawnCli } from '../test/spawn-cli.js';
import { type ImportFlags, runImport } from './import-files-run.js';

t.setTimeout(180_000);
const postgres = await startTestPostgres(t);

const FLAGS: ImportFlags = { concurrency: 2, deadline: 5, json: true };

function folder(t: Test, files: Readonly<Record<string, string | Buffer>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'tether-import-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(directory, name, '..'), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  return directory;
}

const csv = (rows: number, first = 1): string =>
  `iban,amount,name\n${Array.from({ length: rows }, (_, i) => `X${first + i},1,Anna Muster`).join('\n')}\n`;

async function open(t: Test): Promise<{ uploads: TestUploads; env: Record<string, string> }> {
  await postgres.pool.query('TRUNCATE uploads, upload_keys, tus_uploads');
  const uploads = await startTestUploads(t, { postgres });
  return {
    uploads,
    env: {
      TETHER_URL: `http://127.0.0.1:${uploads.gateway.port}`,
      TETHER_API_TOKEN: 'boss-token-of-a-length',
    },
  };
}

const importing = async (
  directory: string,
  env: Record<string, string>,
  flags: Partial<ImportFlags> = {},
) => {
  const { text, complete } = await runImport(directory, { ...FLAGS, token: 'boss', ...flags }, env);
  return { ...(JSON.parse(text) as ImportSummary & { readonly left: number }), complete };
};

t.test('files are sent, kept unprocessed, and compared; again, none is sent', async (t) => {
  const { uploads, env } = await open(t);
  const directory = folder(t, {
    'a.csv': csv(3),
    'below/b.csv': csv(2000, 10),
    'below/deeper/Schuldner März.txt': csv(1, 5000),
  });
  t.match(await importing(directory, env, { dryRun: true }), { imported: 3, known: 0, complete: true });
  t.strictSame((await uploads.stored()).objects, [], 'a dry run sends nothing');
  t.match(await importing(directory, env), { imported: 3, known: 0, removed: 0, complete: true });
  const kept = await uploads.uploads.list({ limit: 10 });
  t.strictSame(kept.map(({ filename }) => filename).sort(), ['Schuldner März.txt', 'a.csv', 'b.csv']);
  t.ok(kept.every(({ state, process, owner }) => state === 'stored' && !process && owner === 'boss'));
  t.strictSame(uploads.enqueued, [], 'none is processed');
  writeFileSync(join(directory, 'new.csv'), csv(1, 9000));
  t.match(await importing(directory, env), { imported: 1, known: 3, complete: true });
  t.equal((await uploads.stored()).objects.length, 4);
  t.ok(existsSync(join(directory, 'a.csv')), 'nothing is removed unasked');
});

t.test('a file is removed once the node has given it back, and not before', async (t) => {
  const { uploads, env } = await open(t);
  const directory = folder(t, { 'a.csv': csv(3), 'b.csv': csv(4, 100) });
  await importing(directory, env);
  const damaged = (await uploads.uploads.list({ filename: 'a.csv', limit: 1 }))[0];
  await uploads.objects.put(damaged?.objectKey ?? '', Buffer.from(csv(3).replace('Anna', 'Jane')));
  t.match(await importing(directory, env, { remove: true }), {
    known: 1,
    removed: 1,
    refused: 1,
    complete: false,
  });
  t.ok(existsSync(join(directory, 'a.csv')), 'what the store does not give back stays');
  t.notOk(existsSync(join(directory, 'b.csv')));
});

t.test('what cannot be taken is named and left, and the rest goes on', async (t) => {
  const { uploads, env } = await open(t);
  const directory = folder(t, {
    'a.csv': csv(3),
    'picture.csv': Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
    'empty.csv': '',
  });
  symlinkSync('a.csv', join(directory, 'link.csv'));
  const { url: _, ...plain } = { url: '', ...FLAGS };
  const { text, complete } = await runImport(directory, { ...plain, token: 'boss' }, env);
  t.match(JSON.parse(text), { imported: 1, refused: 2, left: 1 });
  t.notOk(complete);
  t.equal((await uploads.stored()).objects.length, 1);
});

t.test('from the command line, with what goes wrong', async (t) => {
  const { env } = await open(t);
  const directory = folder(t, { 'a.csv': csv(3), 'evil\u001b[31m.csv': '' });
  const cli = (args: readonly string[], more: Record<string, string> = {}) =>
    spawnCli(['import-files', ...args, '--token', 'boss'], { ...env, ...more });
  const done = await cli([directory]);
  t.match(done, { code: 1, stdout: /^imported +1 \(0\.0 MiB\)\nthere +0\nrefused +1\n$/ });
  t.match(done.stderr, /evil.*: refused: 400/);
  t.notOk(done.stderr.includes('\u001b'), 'no control characters of a name');
  t.match(await cli([join(directory, 'none')]), { code: 78, stderr: /none: ENOENT/ });
  const away = { TETHER_URL: `http://127.0.0.1:${await freePort()}` };
  t.match(await cli([directory, '--deadline', '1'], away), {
    code: 1,
    stdout: /failed/,
    stderr: /does not answer/,
  });
  t.match(await cli([directory, '--concurrency', '0']), { code: 64 });
});

t.test('a file that changes meanwhile is not removed', async (t) => {
  const { env } = await open(t);
  const directory = folder(t, { 'a.csv': csv(20_000) });
  const path = join(directory, 'a.csv');
  const running = importing(directory, env, { remove: true, concurrency: 1 });
  // Whichever moment this meets: either the node is sent what is there then, or the file is not what it was.
  truncateSync(path, 100);
  const { removed } = await running;
  t.equal(existsSync(path), removed === 0);
});
