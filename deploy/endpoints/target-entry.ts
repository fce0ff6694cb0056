/**
 * A target as the forwarding actor is given it, made of its entry in the file: what the entry refers to is read, and checked then.
 *
 * References may stand in `secrets`, in the values of `headers` (what a receiver wants to see is as secret), and in `ca`, where a file is
 * what one has. A problem names the field, and never shows a value.
 */
import { type FilledTarget, targetSchema } from '../../actors/forward/target-settings.js';
import { describeTarget } from './problems.js';
import { type Env, fileOf, resolveReference } from './references.js';
import type { TargetEntry } from './schema.js';

interface FollowedTarget {
  /** Undefined when there are problems. */
  readonly target: FilledTarget | undefined;
  readonly problems: readonly string[];
  readonly files: readonly string[];
}

/** A bundle of authorities is longer than a secret. */
const CA_BYTES_MAX = 100_000;
/** What is shorter is no secret, and would be kept out of lines of the log where it is an ordinary word. */
const SECRET_HEADER_CHARS_MIN = 12;

async function followTarget(entry: TargetEntry, env: Env): Promise<FollowedTarget> {
  const problems: string[] = [];
  const files: string[] = [];
  const follow = async (at: string, text: string, fileBytesMax?: number): Promise<string> => {
    const path = fileOf(text);
    if (path !== undefined) files.push(path);
    const resolved = await resolveReference(text, env, fileBytesMax);
    if ('value' in resolved) return resolved.value;
    problems.push(`${at}: ${resolved.problem}`);
    return '';
  };
  const secrets: string[] = [];
  for (const [at, secret] of entry.secrets.entries()) secrets.push(await follow(`secrets[${at}]`, secret));
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(entry.headers)) {
    headers[name] = await follow(`headers.${name}`, value);
  }
  const ca: string[] = [];
  for (const [at, pem] of (entry.ca ?? []).entries()) ca.push(await follow(`ca[${at}]`, pem, CA_BYTES_MAX));
  if (problems.length > 0) return { target: undefined, problems, files };
  const given = {
    ...entry,
    secrets: [...new Set(secrets)],
    headers,
    ...(entry.ca === undefined ? {} : { ca }),
  };
  const checked = targetSchema.safeParse(given);
  if (checked.success) return { target: Object.freeze(checked.data), problems, files };
  return {
    target: undefined,
    problems: checked.error.issues.flatMap((issue) => describeTarget(given, issue)),
    files,
  };
}

/** What of a target no line of the log may show. */
function secretsOfTarget({ secrets, headers }: FilledTarget): readonly string[] {
  return [...secrets, ...Object.values(headers).filter(({ length }) => length >= SECRET_HEADER_CHARS_MIN)];
}

export { followTarget, secretsOfTarget };
