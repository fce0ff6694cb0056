/** The page `docs/how-to/test-actors.md`, done as it says: each of its files, run by Node's own runner. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';

const PAGE = readFileSync('docs/how-to/test-actors.md', 'utf8');
const files = new Map(
  [...PAGE.matchAll(/```js\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(([, name, text]) => [name ?? '', text ?? '']),
);

t.test('the files of the page pass', async (t) => {
  const tests = [...files.keys()].filter((name) => name.endsWith('.test.js'));
  t.strictSame(tests, ['wallet.test.js', 'faults.test.js', 'explore.test.js']);
  const dir = t.testdir(Object.fromEntries(files));
  // The runner of this test would be taken for the parent of those.
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, SEED: ___, ...env } = process.env;
  const result = await promisify(execFile)(
    process.execPath,
    ['--test', '--test-reporter=tap', ...tests.map((name) => join(dir, name))],
    { env },
  ).catch((error: { readonly stdout: string }) => error);
  t.match(result.stdout, /^# pass 4$/m, result.stdout);
  t.match(result.stdout, /^# fail 0$/m);
});
