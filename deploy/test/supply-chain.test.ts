/** What an install takes in: exact, with its digests, without scripts, under licences that are allowed, and listed in an SBOM that is valid. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { z } from 'zod';
import {
  isAllowed,
  licencePage,
  licencesOnPage,
  lockedLicences,
  refusedLicences,
} from '../supply-chain/licences.js';
import {
  entriesOf,
  idOf,
  inexactVersions,
  installScripts,
  lockSchema,
  looseEntries,
  manifestSchema,
  UNNEEDED_SCRIPTS,
} from '../supply-chain/lock-rules.js';

const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const manifest = manifestSchema.parse(read('package.json'));
const lock = lockSchema.parse(read('package-lock.json'));

t.test('versions are exact, entries have digests and no host, and no install script runs', async (t) => {
  t.ok(entriesOf(lock.packages).length > 100);
  t.strictSame(inexactVersions(manifest), []);
  t.strictSame(looseEntries(lock), []);
  t.strictSame(installScripts(manifest, lock, UNNEEDED_SCRIPTS), []);
});

t.test('each rule can fail', async (t) => {
  const empty = { dependencies: {}, devDependencies: {}, overrides: {}, allowScripts: {} };
  const integrity = `sha512-${'A'.repeat(86)}==`;
  const locked = (packages: object) =>
    lockSchema.parse({ lockfileVersion: 3, packages: { '': {}, ...packages } });
  t.strictSame(
    inexactVersions({
      ...empty,
      dependencies: {
        a: '1.2.3',
        b: '^1.2.3',
        c: 'npm:@d/c@1.2.3-beta.1',
        d: '*',
        e: 'latest',
        f: 'github:a/b',
      },
      overrides: { g: '>=1.0.0' },
    }).map((line) => line[0]),
    ['b', 'd', 'e', 'f', 'g'],
  );
  t.strictSame(
    looseEntries(
      locked({
        'node_modules/a': { integrity },
        'node_modules/b': {},
        'node_modules/c': { integrity: 'sha1-AAAA' },
        'node_modules/d': { integrity, resolved: 'https://192.0.2.1/d.tgz' },
      }),
    ).map((line) => line.split(' ')[0]),
    ['node_modules/b', 'node_modules/c', 'node_modules/d'],
  );
  const scripted = locked({
    'node_modules/a/node_modules/@s/b': { hasInstallScript: true },
    'node_modules/c': { hasInstallScript: true, dev: true },
    'node_modules/d': { hasInstallScript: true },
  });
  t.strictSame(
    installScripts({ ...empty, allowScripts: { d: true, c: false } }, scripted, { '@s/': '', x: '' }),
    [
      'd may run an install script (allowScripts)',
      '@s/b has an install script, which allowScripts does not forbid',
      'd has an install script, and nobody says why it is not needed',
      'x has no install script any more',
    ],
  );
});

// What the checker finds takes seconds; it writes the page, and the page is held to the lock file, which has each package's word as well.
t.test('licences are allowed, and the page lists those of every package that is shipped', async (t) => {
  const page = licencesOnPage(readFileSync('docs/reference/licences.md', 'utf8'));
  t.strictSame(
    Object.fromEntries(page),
    Object.fromEntries(lockedLicences(lock)),
    'npm run licences writes it',
  );
  t.strictSame(refusedLicences(page), []);
  t.equal(
    licencesOnPage(licencePage({ installed: page, bundled: new Map() })).size,
    page.size,
    'what is written is read',
  );
  t.match(refusedLicences(new Map([...page, ['x@1.0.0', 'GPL-3.0']])), [/^x@1\.0\.0: GPL-3\.0 is not/]);
  for (const licence of ['MIT', '(MIT OR GPL-3.0)', '(Apache-2.0 AND BSD-3-Clause)'])
    t.ok(isAllowed(licence), licence);
  for (const licence of [
    '',
    'UNKNOWN',
    'MIT*',
    'GPL-3.0',
    '(MIT AND GPL-3.0)',
    '((MIT) OR (GPL-3.0))',
    'MIT AND',
  ])
    t.notOk(isAllowed(licence), licence);
});

interface Component {
  readonly name: string;
  readonly group?: string | undefined;
  readonly version: string;
  readonly components?: readonly Component[] | undefined;
}
const componentSchema: z.ZodType<Component> = z.lazy(() =>
  z.object({
    name: z.string(),
    group: z.string().optional(),
    version: z.string(),
    components: z.array(componentSchema).optional(),
  }),
);
const sbomSchema = z.object({ specVersion: z.string(), components: z.array(componentSchema) });

t.test('the SBOM is valid, and holds every package that is shipped', async (t) => {
  const { scripts } = z.object({ scripts: z.object({ sbom: z.string() }) }).parse(read('package.json'));
  const [program = '', ...options] = scripts.sbom
    .replace('dist/sbom.cdx.json', join(t.testdir(), 'sbom.json'))
    .split(' ');
  const { stderr } = await promisify(execFile)(join('node_modules', '.bin', program), [...options, '-vvv'], {
    timeout: 50_000,
  });
  t.match(stderr, /BOM result appears valid/, 'the validator ran');
  const sbom = sbomSchema.parse(read(join(t.testdirName, 'sbom.json')));
  t.equal(sbom.specVersion, '1.6');
  const listed = new Set<string>();
  const list = ({ name, group, version, components = [] }: Component) => {
    listed.add(`${group === undefined ? '' : `${group}/`}${name}@${version}`);
    for (const component of components) list(component);
  };
  for (const component of sbom.components) list(component);
  const shipped = entriesOf(lock.packages)
    .filter(([, { dev, optional }]) => dev !== true && optional !== true)
    .map(([path, entry]) => idOf(path, entry));
  t.ok(shipped.length > 50);
  t.strictSame(
    shipped.filter((id) => !listed.has(id)),
    [],
  );
  t.notOk(listed.has(`tap@${manifest.devDependencies.tap}`), 'nothing of the tests');
});
