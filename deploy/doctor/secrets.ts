/** Checks of secrets: that nobody can guess them, and of the files that hold them. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { hashedForm, isHashedToken } from '../../gateway/auth/token.js';
import { DEFAULT_ENDPOINT } from '../endpoint.js';
import { fileKeyOf, isHandedOut, whoElse } from '../secret-files.js';
import { type Check, failed, ok, skipped, warning } from './check.js';
import { type NamedSecret, namedSecrets } from './known-secrets.js';
import { isLoopback } from './loopback.js';
import { isOwn, modeText, statOf } from './owner.js';

const LENGTH_MIN = 16;
/** Of different characters. */
const VARIETY_MIN = 5;
/** What stands in our own pages and defaults, and so is known to everybody. */
const PUBLISHED: ReadonlySet<string> = new Set([
  DEFAULT_ENDPOINT.token,
  ...DEFAULT_ENDPOINT.secrets,
  ...[
    'password',
    'secret-key',
    'secretKey',
    'access-key',
    'user',
    'tether',
    'postgres',
    'minioadmin',
    'changeme',
  ],
]);

const strength: Check = {
  id: 'secret-strength',
  title: 'Secrets cannot be guessed',
  async run({ resolvedEnv, endpoints, mode, settings }) {
    // What `tether start` would not serve is told by the check of the configuration.
    const served = mode === 'start' && settings.endpointsFile === undefined ? [] : endpoints;
    const secrets = namedSecrets(resolvedEnv, served);
    if (secrets.length === 0) return skipped('the configuration has none');
    const weak = secrets.flatMap(({ name, value }) => {
      const reason = weakness(value);
      return reason === undefined ? [] : [`${name} ${reason}`];
    });
    if (weak.length > 0) {
      const advice = 'make others, such as by: openssl rand -hex 24';
      return mode === 'up' && (await isLoopback(settings.host))
        ? warning(`${weak.join('\n')}\nfor trying out, on this machine alone`, advice)
        : failed(weak.join('\n'), advice);
    }
    const shared = sharedBy(secrets);
    if (shared.length > 0) {
      return warning(
        shared.map((names) => `${names.join(' and ')} are the same`).join('\n'),
        'give each its own: who learns one has the other too',
      );
    }
    return ok(`${secrets.length} of them, each with ${LENGTH_MIN} characters and more`);
  },
};

/** Completes "the secret ...", and shows nothing of it. */
function weakness(value: string): string | undefined {
  if (PUBLISHED.has(value)) return 'is one of the documentation, and so public';
  if (isHashedToken(value)) {
    // Of the token behind a hash no more can be seen.
    return [...PUBLISHED].some((text) => hashedForm(text) === value)
      ? 'is the hash of one of the documentation'
      : undefined;
  }
  if (value.length < LENGTH_MIN) return `has fewer than ${LENGTH_MIN} characters`;
  if (new Set(value).size < VARIETY_MIN) return `has fewer than ${VARIETY_MIN} different characters`;
  return undefined;
}

/** Names of those that are equal. */
function sharedBy(secrets: readonly NamedSecret[]): readonly (readonly string[])[] {
  const byValue = new Map<string, string[]>();
  for (const { name, value } of secrets) byValue.set(value, [...(byValue.get(value) ?? []), name]);
  return [...byValue.values()].filter((names) => names.length > 1);
}

const endpointsFile: Check = {
  id: 'endpoints-file',
  title: 'The files of the endpoints and of their secrets are not for others',
  async run({ settings: { endpointsFile: file } }) {
    if (file === undefined) return skipped('TETHER_ENDPOINTS is not set');
    const found = await statOf(file);
    if (found === undefined) return failed(`${file} is not there`, 'mend TETHER_ENDPOINTS');
    const texts = await referencesOf(file);
    const files = texts.filter((text) => text.startsWith('file:')).map((text) => text.slice(5));
    const holdsSecrets = texts.some((text) => !/^(env|file):/.test(text));
    const wrong: string[] = [];
    const mends: string[] = [];
    const judge = (path: string, stats: NonNullable<typeof found>, holds: boolean) => {
      const own = isOwn(stats) || stats.uid === 0;
      if (!own) wrong.push(`${path} belongs to user ${stats.uid}`);
      if ((stats.mode & 0o022) !== 0 || (holds && (stats.mode & 0o077) !== 0)) {
        const may = (stats.mode & 0o022) !== 0 ? 'change' : 'read';
        wrong.push(`${path} is ${modeText(stats)}: others may ${may} it`);
        mends.push(`chmod ${holds ? '600' : 'go-w'} ${path}`);
      } else if (!own) mends.push(`chown ${process.getuid?.()} ${path}`);
    };
    judge(file, found, holdsSecrets);
    for (const path of files) {
      const secret = await statOf(path);
      if (secret !== undefined) judge(path, secret, true);
    }
    if (wrong.length > 0) return failed(wrong.join('\n'), mends.join('\n'));
    const rest = files.length === 0 ? '' : `, and ${files.length} of secrets that it names`;
    return ok(`${file} is ${modeText(found)}${rest}`);
  },
};

const secretFiles: Check = {
  id: 'secret-files',
  title: 'Files of secrets are not for others',
  async run({ secretFiles: files }) {
    if (files.size === 0) return skipped('no key with _FILE is set');
    const wrong: string[] = [];
    const mends: string[] = [];
    let handedOut = true;
    for (const [key, path] of files) {
      const stats = await statOf(path);
      // Told by the check of the configuration.
      if (stats === undefined) continue;
      const others = whoElse(stats);
      const own = isOwn(stats) || stats.uid === 0;
      if (others === undefined && own) continue;
      wrong.push(
        `${fileKeyOf(key)}: ${path} is ${modeText(stats)}${own ? '' : `, and belongs to user ${stats.uid}`}${others === undefined ? '' : `: others may ${others} it`}`,
      );
      mends.push(own ? `chmod 600 ${path}` : `chown ${process.getuid?.()} ${path}`);
      if (others === 'change' || !own || !isHandedOut(path)) handedOut = false;
    }
    if (wrong.length === 0) return ok(`${files.size} of them`);
    return handedOut
      ? warning(wrong.join('\n'), 'where the platform can: mode 0400 for the user of the node')
      : failed(wrong.join('\n'), mends.join('\n'));
  },
};

/** Tokens and secrets as they stand in the file; none where it cannot be read as one, which the configuration's check tells. */
async function referencesOf(file: string): Promise<readonly string[]> {
  let content: unknown;
  try {
    content = parse(await readFile(file, 'utf8'), { logLevel: 'silent' });
  } catch {
    return [];
  }
  const texts: string[] = [];
  for (const entry of listOf(content, 'endpoints')) {
    texts.push(
      ...[...listOf(entry, 'secrets'), fieldOf(entry, 'token')].filter((text) => typeof text === 'string'),
    );
  }
  return texts;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = fieldOf(value, name);
  return Array.isArray(list) ? list : [];
}

const secretChecks: readonly Check[] = [strength, secretFiles, endpointsFile];

export { secretChecks };
