/**
 * Where a Redis is: one server, one found by Sentinel, or a Cluster.
 *
 * | URL                                              | is                                                  |
 * |--------------------------------------------------|-----------------------------------------------------|
 * | `redis://[user:password@]host[:port][/db]`       | one server; `rediss://` over TLS                     |
 * | `redis+sentinel://[user:password@]host[:port][,host[:port]...]/name` | the master that Sentinels know by this name |
 * | `redis+cluster://[user:password@]host[:port][,host[:port]...]`       | a Cluster, found by any of its nodes        |
 *
 * With `rediss+sentinel` and `rediss+cluster` the connections are over TLS.
 */

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface RedisPlace {
  readonly kind: 'server' | 'sentinel' | 'cluster';
  readonly nodes: readonly Address[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
  readonly database: number;
  /** Of the master, for Sentinel. */
  readonly master: string | undefined;
}

const FORM = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^/?#]+)(?:\/([^/?#]*))?$/;
const PORTS = { server: 6379, sentinel: 26_379, cluster: 6379 };

/** Undefined when it is none. */
export function parseRedisUrl(url: string): RedisPlace | undefined {
  const found = FORM.exec(url);
  if (found === null) return undefined;
  const [, scheme, given, login, hosts = '', path = ''] = found;
  const kind = given === 'sentinel' || given === 'cluster' ? given : 'server';
  const nodes = hosts.split(',').map((host) => parseAddress(host, PORTS[kind]));
  if (nodes.some((node) => node === undefined)) return undefined;
  if (
    kind === 'server' ? nodes.length !== 1 || !/^\d{0,4}$/.test(path) : (path === '') !== (kind === 'cluster')
  )
    return undefined;
  const parsed = parseLogin(login);
  if (parsed === undefined) return undefined;
  const [user, password] = parsed;
  return {
    kind,
    nodes: nodes as Address[],
    user,
    password,
    tls: scheme === 'rediss',
    database: kind === 'server' ? Number(path) : 0,
    master: kind === 'sentinel' ? path : undefined,
  };
}

function parseAddress(text: string, portDefault: number): Address | undefined {
  const found = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]{1,253})(?::(\d{1,5}))?$/.exec(text);
  if (found === null) return undefined;
  const port = Number(found[2] ?? portDefault);
  const host = (found[1] ?? '').replace(/^\[|\]$/g, '');
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

function parseLogin(login = ''): readonly [string | undefined, string | undefined] | undefined {
  const [user = '', password = ''] = login.split(/:(.*)/s, 2);
  try {
    return [decodeURIComponent(user) || undefined, decodeURIComponent(password) || undefined];
  } catch {
    // A percent sign that encodes nothing.
    return undefined;
  }
}
