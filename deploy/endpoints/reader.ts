/**
 * Endpoints: who may send webhooks, and under which path and secrets. From a yaml file:
 *
 *     endpoints:
 *       - name: emp                       # a-z, 0-9, -; the first part of the path
 *         provider: emp                   # or one of the others
 *         token: env:EMP_PATH_TOKEN       # the second part of the path
 *         secrets: [env:EMP_PASSWORD, file:/run/secrets/emp-password-old]
 *         actor: payment                  # optional: payment, or one of TETHER_ACTORS
 *         options: {}                     # optional: those of the provider
 *         networks: [192.0.2.0/24]        # optional: only these addresses may send
 *     targets:                            # optional: where routes may forward webhooks to
 *       - { name: shop, url: 'https://shop.example/in', secrets: [env:SHOP_SECRET] }
 *
 * or one endpoint at a time, as it comes over the API. `token` and each of `secrets` may be a reference (`references.ts`). A problem names the file, the
 * entry and the field, and never shows a value of `token` or `secrets`; a syntax error gives the position and no text, for the same reason.
 */
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { FilledTarget } from '../../actors/forward/target-settings.js';
import { PROVIDERS } from '../../gateway/providers/index.js';
import type { Endpoint } from '../endpoint.js';
import { describeEntry, describeInFile } from './problems.js';
import { type Env, fileOf, readText, reasonOf, resolveReference } from './references.js';
import { type EndpointRules, ruleProblems } from './rules.js';
import {
  checkEntry,
  documentSchema,
  type Entry,
  entrySchema,
  namedEntrySchema,
  type TargetEntry,
  targetEntrySchema,
} from './schema.js';
import { followTarget } from './target-entry.js';

/** What was read: all of it right, or what is wrong. */
interface Read {
  /** Those that are right as far as they could be read; all, where there are no problems. */
  readonly endpoints: readonly Endpoint[];
  readonly targets: readonly FilledTarget[];
  readonly problems: readonly string[];
  /** Paths that the entries refer to. */
  readonly files: readonly string[];
}

/** Of one entry: an endpoint alone. */
type ReadEntry = Omit<Read, 'targets'>;

const FILE_BYTES_MAX = 1024 * 1024;

class EndpointReader {
  readonly #env: Env;
  readonly #rules: EndpointRules | undefined;

  /** @param rules undefined: only the form is checked */
  constructor(env: Env, rules: EndpointRules | undefined) {
    this.#env = env;
    this.#rules = rules;
  }

  async readFile(file: string): Promise<Read> {
    const given = await givenEntries(file);
    const problems = [...given.problems];
    const endpoints: Endpoint[] = [];
    const targets: FilledTarget[] = [];
    const files = new Set<string>();
    const names = new Set<string>();
    const targetNames = new Set<string>();
    for (const entry of given.targets) {
      const at = `${file}: target ${entry.name}: `;
      if (targetNames.has(entry.name)) problems.push(`${at}name: is there twice`);
      targetNames.add(entry.name);
      const followed = await followTarget(entry, this.#env);
      problems.push(...followed.problems.map((problem) => `${at}${problem}`));
      for (const path of followed.files) files.add(path);
      if (followed.target !== undefined) targets.push(followed.target);
    }
    for (const { name, entry } of given.entries) {
      const at = `${file}: endpoint ${name}: `;
      if (names.has(name)) problems.push(`${at}name: is there twice`);
      names.add(name);
      const read = await this.#resolve(name, entry, targetNames, true);
      problems.push(...read.problems.map((problem) => `${at}${problem}`));
      for (const path of read.files) files.add(path);
      endpoints.push(...read.endpoints);
    }
    return {
      endpoints: Object.freeze(endpoints),
      targets: Object.freeze(targets),
      problems,
      files: [...files],
    };
  }

  /**
   * One entry, as it stands in a file but without its name. It comes from far away: why a reference cannot be followed is not told, and with it
   * which files this machine has.
   * @param targets the names of those that its routes may forward to
   */
  async readEntry(name: string, given: unknown, targets: ReadonlySet<string>): Promise<ReadEntry> {
    const checked = checkEntry(entrySchema, given);
    if ('issues' in checked) {
      const problems = checked.issues.flatMap((issue) => describeEntry(name, given, issue));
      return { endpoints: [], problems, files: [] };
    }
    const read = await this.#resolve(name, checked.entry, targets, false);
    return { ...read, problems: read.problems.map((problem) => `endpoint ${name}: ${problem}`) };
  }

  async #resolve(
    name: string,
    entry: Entry,
    targets: ReadonlySet<string>,
    tells: boolean,
  ): Promise<ReadEntry> {
    const { provider, token, secrets, actor, options, ...rest } = entry;
    const { networks, routes, order, delaySeconds, bodyBytesMax } = rest;
    const kind = PROVIDERS.get(provider);
    const handler = actor ?? (kind?.envelope === 'body' ? 'payment' : undefined);
    const problems: string[] = [];
    const told = (problem: string) => (tells ? problem : 'the reference cannot be followed on this node');
    const resolved = await resolveReference(token, this.#env);
    if ('problem' in resolved) problems.push(`token: ${told(resolved.problem)}`);
    else if (!/^[A-Za-z0-9_-]{1,128}$/.test(resolved.value)) {
      problems.push('token: is 1 to 128 letters, digits, _ and -');
    }
    const values: string[] = [];
    for (const [place, secret] of secrets.entries()) {
      const result = await resolveReference(secret, this.#env);
      const problem = 'problem' in result ? told(result.problem) : kind?.secretProblem(result.value, options);
      if (problem !== undefined) problems.push(`secrets[${place}]: ${problem}`);
      else if ('value' in result) values.push(result.value);
    }
    const endpoint: Endpoint = Object.freeze({
      name,
      provider,
      token: 'value' in resolved ? resolved.value : '',
      secrets: Object.freeze([...new Set(values)]),
      ...(handler === undefined ? {} : { actor: handler }),
      ...(options === undefined ? {} : { options: Object.freeze(options) }),
      ...(networks === undefined ? {} : { networks: Object.freeze(networks) }),
      ...(routes === undefined ? {} : { routes }),
      ...(order === undefined ? {} : { order }),
      ...(delaySeconds === undefined ? {} : { delaySeconds }),
      ...(bodyBytesMax === undefined ? {} : { bodyBytesMax }),
    });
    if (problems.length === 0 && this.#rules !== undefined)
      problems.push(...ruleProblems(endpoint, this.#rules, targets));
    const files = [token, ...secrets].map(fileOf).filter((path) => path !== undefined);
    return { endpoints: [endpoint], problems, files };
  }
}

interface GivenEntry {
  readonly name: string;
  readonly entry: Entry;
  readonly given: Readonly<Record<string, unknown>>;
}

interface GivenEntries {
  readonly entries: readonly GivenEntry[];
  readonly targets: readonly TargetEntry[];
  readonly problems: readonly string[];
}

/** The entries of a file as they stand there, references not followed. */
async function givenEntries(file: string): Promise<GivenEntries> {
  const read = await parseFile(file);
  if ('problem' in read) return { entries: [], targets: [], problems: [read.problem] };
  const { raw } = read;
  const parsed = documentSchema.safeParse(raw);
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => describeInFile(file, raw, issue));
    return { entries: [], targets: [], problems };
  }
  const problems: string[] = [];
  const wrong = (section: string, index: number, issues: readonly z.core.$ZodIssue[]) => {
    for (const issue of issues) {
      const path = [section, index, ...issue.path];
      problems.push(...describeInFile(file, raw, { ...issue, path } as typeof issue));
    }
  };
  const entries: GivenEntry[] = [];
  for (const [index, given] of parsed.data.endpoints.entries()) {
    const checked = checkEntry(namedEntrySchema, given);
    if ('entry' in checked) {
      const { name, ...entry } = checked.entry;
      entries.push({ name, entry, given: given as Record<string, unknown> });
      continue;
    }
    wrong('endpoints', index, checked.issues);
  }
  const targets: TargetEntry[] = [];
  for (const [index, given] of parsed.data.targets.entries()) {
    const checked = targetEntrySchema.safeParse(given);
    if (checked.success) targets.push(checked.data);
    else wrong('targets', index, checked.error.issues);
  }
  return { entries, targets, problems };
}

async function parseFile(file: string): Promise<{ readonly raw: unknown } | { readonly problem: string }> {
  let text: string;
  try {
    text = await readText(file, FILE_BYTES_MAX);
  } catch (cause) {
    return { problem: `TETHER_ENDPOINTS: ${file} cannot be read: ${reasonOf(cause)}` };
  }
  const lineCounter = new LineCounter();
  // prettyErrors would quote the source, secrets included.
  const yaml = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'silent' });
  const [error] = yaml.errors;
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    return { problem: `${file}: line ${line}, column ${col}: not yaml (${error.code})` };
  }
  try {
    return { raw: yaml.toJS({ maxAliasCount: 100 }) };
  } catch {
    return { problem: `${file}: not yaml that can be used: too many or unknown aliases` };
  }
}

export { EndpointReader, givenEntries, type Read, type ReadEntry };
