/**
 * Endpoints: who may send webhooks, and under which path and secrets. From a yaml file:
 *
 *     endpoints:
 *       - name: emp                       # a-z, 0-9, -; the first part of the path
 *         provider: emp                   # or one of the others, see docs/reference/providers.md
 *         token: env:EMP_PATH_TOKEN       # the second part of the path
 *         secrets: [env:EMP_PASSWORD, file:/run/secrets/emp-password-old]
 *         actor: payment                  # optional: payment, or one of TETHER_ACTORS
 *         options: {}                     # optional: those of the provider
 *         networks: [192.0.2.0/24]        # optional: only these addresses may send
 *
 * `token` and each of `secrets` may be a reference: `env:NAME` or `file:/path` (one final line end is cut off).
 * An error names the file, the entry and the field, and never shows a value of `token` or `secrets`; a syntax error
 * gives the position and no text, for the same reason.
 */
import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { countProblem, PROVIDERS } from '../gateway/providers/index.js';
import type { Endpoint } from './endpoint.js';
import { ConfigError } from './errors.js';
import { parseNetwork } from './networks.js';
import { didYouMean } from './suggest.js';

const FILE_BYTES_MAX = 1024 * 1024;
const SECRET_BYTES_MAX = 4096;
const ENDPOINTS_MAX = 1000;
const FIELDS = ['name', 'provider', 'token', 'secrets', 'actor', 'networks', 'options'];

const network = z.string('is a text').transform((text, context) => {
  const range = parseNetwork(text);
  if (range !== undefined) return range;
  context.issues.push({
    code: 'custom',
    input: '',
    message: 'is an address or network such as 192.0.2.0/24',
  });
  return z.NEVER;
});
const reference = z
  .string('is a text (put it in quotes)')
  .min(1, 'is not empty')
  .max(SECRET_BYTES_MAX, 'is too long');
const entry = z.strictObject({
  name: z
    .string('is a text')
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'is 1 to 63 of a-z, 0-9 and -, not first or last a -'),
  provider: z.enum([...PROVIDERS.keys()], `is one of ${[...PROVIDERS.keys()].join(', ')}`),
  token: reference,
  secrets: z.array(reference, 'is a list of texts').default([]),
  actor: z
    .string('is a text')
    .regex(/^[a-z][a-z0-9-]{0,62}$/, 'is the type of an actor: a-z, 0-9 and -')
    .optional(),
  networks: z
    .array(network, 'is a list of networks')
    .min(1, 'lists at least one network; leave it out to allow every address')
    .max(1000, 'takes at most 1000 networks')
    .optional(),
  options: z.record(z.string(), z.unknown(), 'is a mapping').optional(),
});
const document = z.strictObject(
  {
    endpoints: z
      .array(z.unknown(), 'is a list of entries')
      .min(1, 'needs at least one entry')
      .max(ENDPOINTS_MAX, `takes at most ${ENDPOINTS_MAX} entries`),
  },
  'is a mapping with the one key endpoints',
);

type Env = Readonly<Record<string, string | undefined>>;

/** @throws ConfigError naming file, entry and field of each problem */
async function loadEndpoints(file: string, env: Env): Promise<readonly Endpoint[]> {
  const text = await readText(file, FILE_BYTES_MAX).catch((cause: unknown) => {
    throw new ConfigError([`TETHER_ENDPOINTS: ${file} cannot be read: ${reasonOf(cause)}`], { cause });
  });
  const raw = parseYaml(file, text);
  const parsed = document.safeParse(raw);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.flatMap((issue) => describe(file, raw, issue)));
  }

  const problems: string[] = [];
  const endpoints: Endpoint[] = [];
  const names = new Set<string>();
  for (const [index, given] of parsed.data.endpoints.entries()) {
    // One by one: a mistake in one entry must not hide those of the others.
    const fields = entry.safeParse(given);
    if (!fields.success) {
      for (const issue of fields.error.issues) {
        problems.push(...describe(file, raw, { ...issue, path: ['endpoints', index, ...issue.path] }));
      }
      continue;
    }
    const { name, provider, token, secrets, actor, networks, options } = fields.data;
    const at = `${file}: endpoint ${name}`;
    if (names.has(name)) problems.push(`${at}: name: is there twice`);
    names.add(name);
    const resolved = await resolveReference(token, env);
    if ('problem' in resolved) problems.push(`${at}: token: ${resolved.problem}`);
    else if (!/^[A-Za-z0-9_-]{1,128}$/.test(resolved.value)) {
      problems.push(`${at}: token: is 1 to 128 letters, digits, _ and -`);
    }
    const kind = PROVIDERS.get(provider);
    if (kind === undefined) throw new TypeError('a provider of the schema is one of the registry');
    const values: string[] = [];
    for (const [place, secret] of secrets.entries()) {
      const result = await resolveReference(secret, env);
      if ('problem' in result) problems.push(`${at}: secrets[${place}]: ${result.problem}`);
      else {
        values.push(result.value);
        const problem = kind.secretProblem(result.value, options);
        if (problem !== undefined) problems.push(`${at}: secrets[${place}]: ${problem}`);
      }
    }
    const counted = countProblem(kind.secrets, secrets.length);
    if (counted !== undefined) problems.push(`${at}: secrets: ${counted}`);
    for (const issue of kind.options.safeParse(options ?? {}).error?.issues ?? []) {
      const path = ['endpoints', index, 'options', ...issue.path];
      problems.push(...describe(file, raw, { ...issue, path }, kind.optionNames));
    }
    const handler = actor ?? (kind.envelope === 'body' ? 'payment' : undefined);
    endpoints.push(
      Object.freeze({
        name,
        provider,
        token: 'value' in resolved ? resolved.value : '',
        secrets: Object.freeze([...new Set(values)]),
        ...(handler === undefined ? {} : { actor: handler }),
        ...(options === undefined ? {} : { options: Object.freeze(options) }),
        ...(networks === undefined ? {} : { networks: Object.freeze(networks) }),
      }),
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(endpoints);
}

function parseYaml(file: string, text: string): unknown {
  const lineCounter = new LineCounter();
  // prettyErrors would quote the source, secrets included.
  const yaml = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'silent' });
  const [error] = yaml.errors;
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw new ConfigError([`${file}: line ${line}, column ${col}: not yaml (${error.code})`]);
  }
  try {
    return yaml.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new ConfigError([`${file}: not yaml that can be used: too many or unknown aliases`], { cause });
  }
}

function describe(
  file: string,
  raw: unknown,
  issue: z.core.$ZodIssue,
  names: readonly string[] = FIELDS,
): string[] {
  const [, index, ...field] = issue.path;
  const at = typeof index === 'number' ? `${file}: ${entryName(raw, index)}` : file;
  const name = field
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`))
    .join('');
  const where =
    name === '' ? (typeof index === 'number' || issue.path.length === 0 ? '' : 'endpoints: ') : `${name}: `;
  if (issue.code === 'unrecognized_keys') {
    const known = typeof index === 'number' ? names : ['endpoints'];
    return issue.keys.map((key) => `${at}: ${where}${key} is not a field${didYouMean(key, known)}`);
  }
  const missing = issue.code === 'invalid_type' && valueAt(raw, issue.path) === undefined;
  return [`${at}: ${where}${missing && issue.path.length > 0 ? 'is missing' : issue.message}`];
}

function entryName(raw: unknown, index: number): string {
  const name = valueAt(raw, ['endpoints', index, 'name']);
  return typeof name === 'string' && /^[\w.-]{1,63}$/.test(name)
    ? `endpoint ${name}`
    : `endpoint ${index + 1}`;
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

/** What `env:NAME` or `file:/path` refers to; any other text stands for itself. */
async function resolveReference(
  text: string,
  env: Env,
): Promise<{ readonly value: string } | { readonly problem: string }> {
  if (text.startsWith('env:')) {
    const name = text.slice(4);
    if (name.startsWith('TETHER_')) {
      return { problem: `${name} cannot be referred to: names with TETHER_ are keys of the configuration` };
    }
    const value = env[name];
    return value === undefined || value === ''
      ? { problem: `the environment variable ${name} is not set` }
      : { value };
  }
  if (!text.startsWith('file:')) return { value: text };
  const path = text.slice(5);
  try {
    const value = (await readText(path, SECRET_BYTES_MAX)).replace(/\r?\n$/, '');
    return value === '' ? { problem: `${path} is empty` } : { value };
  } catch (cause) {
    return { problem: `${path} cannot be read: ${reasonOf(cause)}` };
  }
}

async function readText(path: string, bytesMax: number): Promise<string> {
  const content = await readFile(path);
  if (content.length > bytesMax) throw new RangeError(`it is larger than ${bytesMax} bytes`);
  return new TextDecoder('utf-8', { fatal: true }).decode(content);
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code: unknown = Reflect.get(cause, 'code');
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'this user may not read it';
  if (code === 'EISDIR') return 'it is a directory';
  return cause.message;
}

export { loadEndpoints, resolveReference };
