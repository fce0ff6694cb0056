/** What `tether endpoints` does: against the operations API of a running node (`gateway/api/endpoints.ts`), and with a file alone. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { ENDPOINT_TYPES, findActors } from '../actor-modules.js';
import { logBodyBytesMax } from '../config-rules.js';
import { EndpointReader, givenEntries } from '../endpoints/reader.js';
import { ConfigError } from '../errors.js';
import { type Environment, parseSettings } from '../settings.js';
import { connectToNode, type NodeFlags } from './node-client.js';
import { textTable } from './table.js';

const secretSchema = z.object({ reference: z.string().nullable(), digest: z.string().nullable() });
const endpointSchema = z.looseObject({
  name: z.string(),
  source: z.string(),
  provider: z.string(),
  secrets: z.array(secretSchema),
  settings: z.looseObject({ actor: z.string().optional() }),
  served: z.boolean(),
  problems: z.array(z.string()),
  changedAt: z.string().nullable(),
  changedBy: z.string().nullable(),
});
const listSchema = z.object({
  endpoints: z.array(endpointSchema),
  file: z.object({ path: z.string(), problems: z.array(z.string()) }).nullable(),
});
type EndpointJson = z.infer<typeof endpointSchema>;

async function listEndpoints(flags: NodeFlags, env: Environment, columns?: number): Promise<string> {
  const node = await connectToNode(flags, env);
  const list = await node.call('GET', '/api/endpoints', listSchema);
  if (flags.json === true) return `${JSON.stringify(list)}\n`;
  const table = list.endpoints.length === 0 ? 'no endpoints\n' : endpointTable(list.endpoints, columns);
  const { path = '', problems = [] } = list.file ?? {};
  const refused = problems.length === 0 ? [] : [`${path} is refused, what was read before is served on:`];
  return [table, ...[...refused, ...problems].map((line) => `${line}\n`)].join('');
}

/** One after the other: what was put before one is refused stays. @throws ConfigError before any is put, when the file is wrong */
async function putEndpoints(
  file: string,
  flags: NodeFlags,
  env: Environment,
  columns?: number,
): Promise<string> {
  const { entries, targets, problems } = await givenEntries(file);
  if (problems.length > 0) throw new ConfigError(problems);
  if (targets.length > 0) {
    throw new ConfigError([`${file}: targets: stand in the file of each node, and are not put over the API`]);
  }
  const node = await connectToNode(flags, env);
  const put: EndpointJson[] = [];
  for (const { name, given } of entries) {
    const { name: _, ...settings } = given;
    put.push(await node.call('PUT', pathOf(name), endpointSchema, settings));
  }
  if (flags.json === true) return `${JSON.stringify(put)}\n`;
  return put.length === 0 ? `${file} has no endpoints\n` : endpointTable(put, columns);
}

async function removeEndpoint(name: string, flags: NodeFlags, env: Environment): Promise<string> {
  const node = await connectToNode(flags, env);
  const removed = await node.call('DELETE', pathOf(name), endpointSchema);
  return flags.json === true ? `${JSON.stringify(removed)}\n` : `${name} is taken away\n`;
}

/** @throws ConfigError with what is wrong */
async function checkEndpointsFile(
  file: string,
  { up = false }: { readonly up?: boolean },
  env: Environment,
): Promise<string> {
  const settings = parseSettings(env);
  const actors = await findActors(settings.actorFiles);
  const types = [...ENDPOINT_TYPES, ...actors.map(({ type }) => type)];
  const bodyBytesMax = logBodyBytesMax(settings);
  const reader = new EndpointReader(env, { mode: up ? 'up' : 'start', actors: types, bodyBytesMax });
  const { endpoints, targets, problems } = await reader.readFile(resolve(file));
  if (problems.length > 0) throw new ConfigError(problems);
  const parts = [
    namesOf('endpoint', endpoints),
    ...(targets.length === 0 ? [] : [namesOf('target', targets)]),
  ];
  return `${file} is right: ${parts.join('; ')}\n`;
}

function namesOf(kind: string, all: readonly { readonly name: string }[]): string {
  const count = `${all.length} ${all.length === 1 ? kind : `${kind}s`}`;
  return [count, ...all.map(({ name }) => name)].join(', ');
}

function pathOf(name: string): string {
  return `/api/endpoints/${encodeURIComponent(name)}`;
}

function endpointTable(endpoints: readonly EndpointJson[], columns: number | undefined): string {
  const head = ['NAME', 'PROVIDER', 'ACTOR', 'FROM', 'SECRETS', 'CHANGED', 'SERVED'];
  const rows = endpoints.map(({ name, provider, settings, source, secrets, served, problems, ...by }) => [
    name,
    provider,
    settings.actor ?? '-',
    source,
    secrets.map(({ reference, digest }) => reference ?? digest ?? '?').join(' '),
    by.changedAt === null ? '-' : `${by.changedAt} ${by.changedBy}`,
    served ? 'yes' : `no: ${problems.join('; ')}`,
  ]);
  return textTable(head, rows, columns);
}

export { checkEndpointsFile, listEndpoints, putEndpoints, removeEndpoint };
