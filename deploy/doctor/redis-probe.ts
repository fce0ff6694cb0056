/** The doctor's connections to Redis: one as the node's own, and one of a stranger, without a password. */
import { Redis } from 'ioredis';
import { createClient, type RedisClient, serversOf, whenReady } from '../../storage/redis/client.js';
import { parseRedisUrl, type RedisPlace } from '../../storage/redis/url.js';
import { type CheckContext, type Finding, skipped } from './check.js';

const READY_MS_MAX = 3_000;
const REPLY_MS_MAX = 2_000;

/** Where a server really is. */
interface RedisServer {
  readonly host: string;
  readonly port: number;
  readonly redis: Redis;
}

type Connected =
  | { readonly client: RedisClient; readonly servers: readonly RedisServer[]; readonly problem?: never }
  /** Why there is no connection. */
  | { readonly problem: string };

/** Where it is, or why there is none to look at. */
function placeOf({
  settings,
  refused,
}: Pick<CheckContext, 'settings' | 'refused'>): { readonly place: RedisPlace } | { readonly none: Finding } {
  const { redisUrl, logDriver } = settings;
  const place = redisUrl === undefined ? undefined : parseRedisUrl(redisUrl);
  if (refused.has('TETHER_REDIS_URL')) return { none: skipped('TETHER_REDIS_URL is refused') };
  return place === undefined
    ? { none: skipped(`the log is the ${logDriver}: this node uses no Redis`) }
    : { place };
}

/**
 * `work` with the node's Redis. What needs none is skipped; where there is none, `away` says what that means for the check.
 */
async function withRedis(
  { settings, refused, undo }: Pick<CheckContext, 'settings' | 'refused' | 'undo'>,
  work: (connected: Connected) => Promise<Finding>,
): Promise<Finding> {
  const found = placeOf({ settings, refused });
  if ('none' in found) return found.none;
  const { place } = found;
  const client = createClient(place, {
    name: 'tether doctor',
    patience: 'fails-fast',
    replyMsMax: REPLY_MS_MAX,
  });
  undo(async () => client.disconnect());
  let last: Error | undefined;
  // A wrong password does not become right by waiting; a Cluster's node that is away may be one of many.
  const refusedAt = new Promise<false>((resolve) => {
    client.on('error', (error: Error) => {
      last = error;
      if (place.kind === 'server') resolve(false);
    });
  });
  if (!(await Promise.race([whenReady(client, READY_MS_MAX), refusedAt]))) {
    return work({ problem: last === undefined ? `no answer within ${READY_MS_MAX} ms` : messageOf(last) });
  }
  const servers = serversOf(client).map((redis) => ({
    host: redis.stream?.remoteAddress ?? redis.options.host ?? '',
    port: redis.stream?.remotePort ?? redis.options.port ?? 0,
    redis,
  }));
  return work({ client, servers });
}

/** `withRedis` for a check that has nothing to say while Redis is away. */
function onRedis(
  context: CheckContext,
  work: (servers: readonly RedisServer[], client: RedisClient) => Promise<Finding>,
): Promise<Finding> {
  return withRedis(context, async (connected) => {
    if (connected.problem !== undefined) return skipped('Redis cannot be used: see redis-reach');
    return work(connected.servers, connected.client);
  });
}

/**
 * What a stranger gets:
 * - `open`: answers, as to us
 * - `closed`: wants to know who asks, or does not serve strangers
 */
async function asStranger({ host, port }: RedisServer, tls: boolean): Promise<'open' | 'closed'> {
  const stranger = new Redis({
    host,
    port,
    connectTimeout: REPLY_MS_MAX,
    commandTimeout: REPLY_MS_MAX,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    enableReadyCheck: false,
    lazyConnect: true,
    // By its address its certificate does not name it, and it is told nothing.
    ...(tls ? { tls: { rejectUnauthorized: false } } : {}),
  });
  stranger.on('error', () => {});
  try {
    await stranger.connect();
    // PING is allowed to some who may do nothing else.
    await stranger.exists('tether doctor');
    return 'open';
  } catch {
    // NOAUTH, NOPERM, DENIED by protected mode, or an end of the connection where a certificate is wanted: no stranger comes in.
    return 'closed';
  } finally {
    stranger.disconnect();
  }
}

/** A field of INFO. */
async function infoOf(redis: Redis, section: string, name: string): Promise<string | undefined> {
  const info = await redis.info(section);
  return new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info)?.[1];
}

/** A setting; undefined where the server does not tell. */
async function settingOf(redis: Redis, name: string): Promise<string | undefined> {
  try {
    const [, value] = (await redis.config('GET', name)) as string[];
    return value;
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return undefined;
    throw error;
  }
}

function messageOf(error: Error): string {
  if (error.message !== '') return error.message;
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' ? code : error.name;
}

const nameOf = ({ host, port }: RedisServer): string => `${host}:${port}`;

export { asStranger, infoOf, nameOf, onRedis, placeOf, settingOf, withRedis };
