/** Holds the documentation to what is there: links lead somewhere, and every error code is explained. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { CONFIG_KEY_NAMES } from '../config-keys.js';
import { keyOfFile } from '../secret-files.js';
import { FOLDERS } from './structure-rules.js';

const read = (path: string) => readFileSync(path, 'utf8');
const filesIn = (folder: string, extension: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(extension))
    .map((path) => join(folder, path));
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...filesIn('docs', '.md')];

/** The anchors that a Markdown viewer makes of the headings of a page. */
function anchorsOf(page: string): readonly string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

t.test('links between pages lead somewhere', async (t) => {
  const broken: string[] = [];
  for (const page of pages) {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      if (!existsSync(file)) broken.push(`${page}: ${target}`);
      else if (anchor !== undefined && !anchorsOf(file).includes(anchor)) broken.push(`${page}: ${target}`);
    }
  }
  t.strictSame(broken, []);
});

t.test('files that the page of security names as proof are there', async (t) => {
  const named = [...read('docs/security.md').matchAll(/`([a-z][\w/.-]*\.(?:ts|cfg|json))`/g)].map(
    ([, path = '']) => path,
  );
  t.ok(named.length > 40);
  t.strictSame(
    named.filter((path) => !existsSync(path)),
    [],
  );
});

t.test('every page of docs is linked from its index', async (t) => {
  const linked = ['docs/README.md', 'docs/decisions/README.md'].flatMap((index) =>
    [...read(index).matchAll(/\]\(([^)#\s]+)/g)].map(([, path = '']) => join(dirname(index), path)),
  );
  t.strictSame(
    pages.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md' && !linked.includes(page)),
    [],
  );
});

t.test('every error code stands in the reference, and no other', async (t) => {
  const reference = read('docs/reference/errors.md');
  const documented = new Set([...reference.matchAll(/^\| `(TETHER_\w+)`/gm)].map(([, code]) => code));
  const sources = FOLDERS.filter((folder) => folder !== 'perf' && existsSync(folder)).flatMap((folder) =>
    filesIn(folder, '.ts').filter((path) => !path.endsWith('.test.ts')),
  );
  const declared = new Set(
    sources.flatMap((path) => [...read(path).matchAll(/\bcode = '(TETHER_\w+)'/g)].map(([, code]) => code)),
  );
  t.strictSame(
    [...declared].filter((code) => !documented.has(code)).sort(),
    [],
    'declared and not documented',
  );
  t.strictSame(
    [...documented].filter((code) => !declared.has(code)).sort(),
    [],
    'documented and not declared',
  );
});

t.test('a key that a page names exists', async (t) => {
  const codes = read('docs/reference/errors.md');
  const keys: readonly string[] = CONFIG_KEY_NAMES;
  const unknown = pages.flatMap((page) =>
    [...read(page).matchAll(/\bTETHER_[A-Z_]*[A-Z]\b/g)]
      .map(([name]) => name)
      .filter(
        (name) => !keys.includes(name) && keyOfFile(name) === undefined && !codes.includes(`\`${name}\``),
      )
      .map((name) => `${page}: ${name}`),
  );
  t.strictSame(unknown, []);
});

t.test('a test that a page names exists', async (t) => {
  const named = pages.flatMap((page) =>
    [...read(page).matchAll(/`((?:\w[\w-]*\/)+[\w.-]+\.test\.tsx?)`/g)].map(([, path = '']) => ({
      page,
      path,
    })),
  );
  t.strictSame(
    named.filter(({ path }) => !existsSync(path)),
    [],
  );
  const promises = read('docs/explanation/promises.md')
    .split(/^## /m)
    .filter((section) => /^P\d /.test(section));
  t.equal(promises.length, 5);
  for (const section of promises)
    t.match(section, /\*\*Tested\*\* by [^#]*`[\w/-]+\.test\.ts`/, section.slice(0, 30));
});
