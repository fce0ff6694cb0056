/**
 * The manifests as `kubectl kustomize` would put them together, as far as `kustomization.yaml` of this folder asks for it: resources, generated
 * ConfigMaps, labels, patches. For tests; not shipped.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly [field: string]: unknown;
}

interface Generator {
  readonly name: string;
  readonly behavior?: 'merge' | 'replace';
  readonly literals?: readonly string[];
  readonly files?: readonly string[];
}

export interface Kustomization {
  readonly resources: readonly string[];
  readonly labels?: readonly {
    readonly pairs: Record<string, string>;
    readonly includeSelectors?: boolean;
  }[];
  readonly configMapGenerator?: readonly Generator[];
  readonly patches?: readonly { readonly path: string }[];
}

export async function readManifests(file: string): Promise<readonly Manifest[]> {
  return parseAllDocuments(await readFile(file, 'utf8'), { merge: true }).map((document) => {
    if (document.errors.length > 0) throw new Error(`${file}: ${document.errors.join('; ')}`);
    return document.toJS() as Manifest;
  });
}

export const readKustomization = async (directory: string): Promise<Kustomization> =>
  parse(await readFile(join(directory, 'kustomization.yaml'), 'utf8')) as Kustomization;

/** Files of `directory` that its kustomization does not name, and what it names that is not there. */
export async function strayFiles(directory: string): Promise<readonly string[]> {
  const kustomization = await readKustomization(directory);
  const named = [
    ...kustomization.resources,
    ...(kustomization.patches ?? []).map(({ path }) => path),
    ...(kustomization.configMapGenerator ?? []).flatMap(({ files }) => files ?? []),
  ];
  const missing: string[] = [];
  for (const path of named) {
    const found = await stat(join(directory, path)).catch(() => undefined);
    if (found === undefined) missing.push(`${path} is not there`);
  }
  const there = await readdir(directory);
  return [
    ...missing,
    ...there
      .filter((name) => name !== 'kustomization.yaml' && !named.includes(name))
      .map((name) => `${name} is not named`),
  ];
}

/** All of them, base and overlay; a name of a generated ConfigMap is without the hash of its content. */
export async function kustomized(directory: string): Promise<readonly Manifest[]> {
  const kustomization = await readKustomization(directory);
  let manifests: readonly Manifest[] = [];
  for (const resource of kustomization.resources) {
    const path = join(directory, resource);
    manifests = [
      ...manifests,
      ...((await stat(path)).isDirectory() ? await kustomized(path) : await readManifests(path)),
    ];
  }
  for (const generator of kustomization.configMapGenerator ?? [])
    manifests = put(manifests, await generated(directory, generator), generator.behavior);
  for (const { path } of kustomization.patches ?? [])
    for (const patch of await readManifests(join(directory, path)))
      manifests = put(manifests, patch, 'merge');
  const pairs = Object.assign({}, ...(kustomization.labels ?? []).map((each) => each.pairs)) as object;
  if (Object.keys(pairs).length === 0) return manifests;
  return manifests.map((each) => merged(each, { metadata: { labels: pairs } }) as Manifest);
}

async function generated(directory: string, { name, literals, files }: Generator): Promise<Manifest> {
  const data: Record<string, string> = {};
  for (const literal of literals ?? []) {
    const at = literal.indexOf('=');
    data[literal.slice(0, at)] = literal.slice(at + 1);
  }
  for (const file of files ?? [])
    data[relative(dirname(file), file)] = await readFile(join(directory, file), 'utf8');
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

/** @throws Error when there is none to be changed, or one that should be new */
function put(
  manifests: readonly Manifest[],
  given: Manifest,
  how: 'merge' | 'replace' | undefined,
): readonly Manifest[] {
  const at = manifests.findIndex(
    ({ kind, metadata }) => kind === given.kind && metadata.name === given.metadata.name,
  );
  if ((at === -1) !== (how === undefined))
    throw new Error(`${given.kind} ${given.metadata.name}: ${how ?? 'is there twice'}`);
  if (how === undefined) return [...manifests, given];
  return manifests.with(at, how === 'replace' ? given : (merged(manifests[at], given) as Manifest));
}

/** Of two trees; a list is taken as a whole, as Kubernetes does with those that are patched here. */
function merged(before: unknown, after: unknown): unknown {
  const isMap = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap(before) || !isMap(after)) return after;
  const result = { ...before };
  for (const [key, value] of Object.entries(after)) result[key] = merged(before[key], value);
  return result;
}
