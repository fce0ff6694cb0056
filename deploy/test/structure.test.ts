import { existsSync, readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { importsOf } from './imports.js';
import {
  careless,
  cycles,
  FOLDERS,
  foreignInRoot,
  type Manifest,
  tooLong,
  unreachable,
  wrongDependencies,
  wrongDirections,
} from './structure-rules.js';

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest & {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  readonly scripts: Readonly<Record<string, string>>;
};
// A checkout may be without git, so what is ignored is read from .gitignore: plain names and one `*.ext`.
const ignored = readFileSync('.gitignore', 'utf8')
  .split('\n')
  .map((line) => line.trim().replace(/\/$/, ''))
  .concat('.git', '.env');
const root = readdirSync('.').filter(
  (name) =>
    !ignored.some((pattern) =>
      pattern.startsWith('*') ? name.endsWith(pattern.slice(1)) : name === pattern,
    ),
);
const sources = new Map(
  FOLDERS.filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
    )
    .filter((path) => /\.(?:tsx?|cts)$/.test(path))
    .map((path) => [path, readFileSync(path, 'utf8')] as const),
);

/** What users and scripts start: what bin imports, exports, what npm scripts run, and the writer of generated text. */
function entries(): string[] {
  const compiledIn = (text: string) => text.match(/\bdist\/[\w/.-]+\.js\b/g) ?? [];
  const compiled = [
    ...Object.values(manifest.bin).flatMap((path) => compiledIn(readFileSync(path, 'utf8'))),
    ...Object.values(manifest.exports).map((target) =>
      typeof target === 'string' ? target : target.default,
    ),
    ...Object.values(manifest.scripts).flatMap(compiledIn),
    'dist/deploy/write-config-text.js',
  ];
  const paths = compiled
    .filter((path) => path.endsWith('.js'))
    .map((path) => path.replace(/^(\.\/)?dist\//, ''));
  return [
    ...new Set(paths.map((path) => path.replace(/\.js$/, '.ts'))),
    // What `index.html` starts, and what builds it.
    'gateway/console/app/main.tsx',
    'gateway/console/app/vite.config.ts',
  ];
}

t.test('the repository keeps its structure', async (t) => {
  t.ok(sources.size > 10, `${sources.size} sources were found`);
  t.strictSame(wrongDirections(sources), [], 'imports run only to the left');
  t.strictSame(cycles(sources), [], 'no cycles');
  t.strictSame(wrongDependencies(sources, manifest), [], 'dependencies are exact, named and used');
  t.strictSame(unreachable(sources, entries()), [], 'every file is reached');
  t.strictSame(tooLong(sources), [], 'no file is too long');
  t.strictSame(foreignInRoot(root), [], 'the root is tidy');
  t.strictSame(careless(sources), [], 'what needs care is done where it is taken');
});

const of = (files: Record<string, string>) => new Map(Object.entries(files));

t.test('each rule can fail: directions', async (t) => {
  const made = of({
    'runtime/a.ts': "import { b } from '../storage/b.js'; import http from 'node:http';",
    'runtime/c.ts': "export { Pool } from 'pg';",
    'storage/b.ts': "import type { X } from '../gateway/x.js';",
    'gateway/x.ts': "const y = await import('../perf/y.js');",
    'deploy/z.ts': "import '../gateway/x.js'; import '../tools/none.js';",
    'perf/y.ts': "import '../deploy/z.js'; new Worker(new URL('./none.js', import.meta.url));",
  });
  t.strictSame(wrongDirections(made), [
    'runtime/a.ts imports storage/b.ts: runtime must not know storage',
    'runtime/a.ts imports node:http: runtime knows no HTTP, SQL or Redis',
    'runtime/c.ts imports pg: runtime knows no HTTP, SQL or Redis',
    'storage/b.ts imports gateway/x.ts: storage must not know gateway',
    'gateway/x.ts imports perf/y.ts: gateway must not know perf',
    'deploy/z.ts imports tools/none.ts, which is no source file',
    'perf/y.ts imports perf/none.ts, which is no source file',
  ]);
});

t.test('each rule can fail: cycles', async (t) => {
  const made = of({
    'runtime/a.ts': "import './b.js';",
    'runtime/b.ts': "export { c } from './c.js';",
    'runtime/c.ts': "import type { A } from './a.js';",
    'runtime/d.ts': "import './a.js';",
    'runtime/e.ts': "import './e.js';",
  });
  t.strictSame(cycles(made), [
    'runtime/a.ts -> runtime/b.ts -> runtime/c.ts -> runtime/a.ts',
    'runtime/e.ts -> runtime/e.ts',
  ]);
});

t.test('each rule can fail: the app of the console', async (t) => {
  const made = of({
    'gateway/console/app/a.tsx':
      "import './a.css'; import { b } from './b.js'; import type { X } from '../../x.js';",
    'gateway/console/app/b.ts': "import { x } from '../../x.js';",
    'gateway/x.ts': "import { b } from './console/app/b.js';",
    'gateway/console/b.test.ts': "import { b } from './app/b.js';",
  });
  t.strictSame(wrongDirections(made), [
    'gateway/console/app/b.ts imports gateway/x.ts: the app and the node share types only',
    'gateway/x.ts imports gateway/console/app/b.ts: the app and the node share types only',
  ]);
});

t.test('each rule can fail: dependencies', async (t) => {
  const made = of({
    'deploy/a.ts':
      "import { z } from 'zod/v4'; import tap from 'tap'; import type { X } from '@scope/types/deep';",
    'deploy/a.test.ts': "import tap from 'tap'; import none from 'none';",
  });
  const problems = wrongDependencies(made, {
    dependencies: { zod: '^4.0.0', unused: '1.0.0', aliased: 'npm:other@1.2.3' },
    devDependencies: {
      tap: '1.0.0',
      typescript: '1.0.0',
      '@scope/types': '1.0.0-beta.1',
      '@types/zod': '1.0.0',
    },
  });
  t.strictSame(problems, [
    'zod ^4.0.0 is no exact version',
    'deploy/a.ts imports tap, which is only a devDependency',
    'deploy/a.test.ts imports none, which package.json does not name',
    'unused is imported nowhere',
    'aliased is imported nowhere',
  ]);
});

t.test('each rule can fail: reach, length, root', async (t) => {
  const made = of({
    'deploy/cli.ts': "import './a.js'; new Worker(new URL('./worker.js', import.meta.url));",
    'deploy/a.ts': '',
    'deploy/worker.ts': '',
    'deploy/lost.ts': "import './lost-too.js';",
    'deploy/lost-too.ts': '',
    'deploy/a.test.ts': '',
  });
  t.strictSame(unreachable(made, ['deploy/cli.ts', 'deploy/gone.ts']), [
    'deploy/lost.ts is imported nowhere',
    'deploy/lost-too.ts is imported nowhere',
    'deploy/gone.ts is no source file',
  ]);
  t.strictSame(tooLong(of({ 'a.ts': 'x\n'.repeat(400), 'b.ts': 'x\n'.repeat(401) })), [
    'b.ts has 401 lines, at most 400',
  ]);
  t.strictSame(foreignInRoot(['runtime', 'notes.txt', 'README.md']), [
    'notes.txt does not belong in the root',
  ]);
  t.strictSame(careless(of({ 'gateway/a.test.ts': ['client.', 'resetAndDestroy();'].join('socket.') })), [
    'gateway/a.test.ts does by itself what storage/test-reset-socket.ts is for',
  ]);
  const pool = (file: string) =>
    ['new Pis', `cina({ filename: new URL('${file}', import.meta.url).href });`].join('');
  t.strictSame(careless(of({ 'gateway/a.ts': pool('./a.js'), 'gateway/b.ts': pool('./b.cjs') })), [
    'gateway/a.ts has Piscina load an ES module, and not a .cts that imports it',
  ]);
});

t.test('the scanner finds imports and nothing else', async (t) => {
  const source = `
    import a from 'a'; import 'b';
    import { c1, type c2 } from "c";
    import type { D } from 'd';
    import type, { e } from 'e';
    import * as f from 'f';
    export { g } from 'g';
    export type { H } from 'h';
    const i = await import('i');
    new Worker(new URL('./j.js', import.meta.url));
    import {
      k, // from 'not-k'
    } from 'k';
    // import x1 from 'x1';
    /* import x2 from 'x2'; */
    const text = "import x3 from 'x3'";
    const template = \`import x4 from 'x4' \${ nested(\`import x5 from 'x5'\`) } import x6 from 'x6'\`;
    const pattern = /['"\`/*]/.test('x7') ? 10 / 2 : "from 'x8'";
    export const from = 'x9';
    export default from;
    const l = { import: 'x10' };
    export interface L extends Omit<M, 'x11'> {}
    import m from 'm';
    createRequire(import.meta.url).resolve('n');
  `;
  t.strictSame(
    importsOf(source).map(
      ({ specifier, typeOnly, byUrl }) => specifier + (typeOnly ? ' type' : '') + (byUrl ? ' url' : ''),
    ),
    ['a', 'b', 'c', 'd type', 'e', 'f', 'g', 'h type', 'k', 'm', 'i', 'n', './j.js url'],
  );
});
