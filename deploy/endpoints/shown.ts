/** What is shown of an endpoint: everything but its token and secrets. */
import { createHash } from 'node:crypto';
import type { EndpointState } from '../../gateway/index.js';
import type { SavedEndpoint } from '../../storage/postgres/index.js';
import type { Endpoint } from '../endpoint.js';
import { isReference } from './references.js';

const DIGEST_CHARS = 8;

/** One that stands in the configuration: where its secrets come from is known to the file alone. */
function configuredState(endpoint: Endpoint, source: 'file' | 'default'): EndpointState {
  const { name, provider, token, secrets, ...settings } = endpoint;
  return {
    name,
    source,
    provider,
    token: shown(name, token),
    secrets: secrets.map((secret) => shown(name, secret)),
    settings,
    served: true,
    problems: [],
    changedAt: null,
    changedBy: null,
  };
}

/** @param problems why it is not served here */
function savedState(saved: SavedEndpoint, problems: readonly string[]): EndpointState {
  const { name, changedAt, changedBy } = saved;
  const { provider, token, secrets, ...settings } = saved.settings;
  return {
    name,
    source: 'api',
    provider: String(provider),
    token: given(name, token),
    secrets: (Array.isArray(secrets) ? secrets : []).map((secret) => given(name, secret)),
    settings,
    served: problems.length === 0,
    problems: [...problems],
    changedAt: changedAt.toISOString(),
    changedBy,
  };
}

/** A reference says itself what it is, and no digest tells of a file that nobody was to read. */
function given(name: string, text: unknown): EndpointState['token'] {
  const value = String(text);
  return isReference(value) ? { reference: value, digest: null } : shown(name, value);
}

/** Of the name as well: the same secret in two endpoints has two digests. */
function shown(name: string, secret: string): EndpointState['token'] {
  const digest = createHash('sha256').update(`${name}\0${secret}`).digest('hex').slice(0, DIGEST_CHARS);
  return { reference: null, digest };
}

export { configuredState, savedState, shown };
