/** Connections to Redis: one server, one found by Sentinel, or a Cluster (`url.ts`). */
import { Cluster, type Command, Redis } from 'ioredis';
import { beginCall } from '../../runtime/measure/dependency-calls.js';
import type { RedisPlace } from './url.js';

export type RedisClient = Redis | Cluster;

const RECONNECT_MS_MAX = 500;
const CONNECT_MS_MAX = 3_000;
/**
 * A connection whose other end has been silent for as long as a reply may take is ended: in a network that loses packets it would look well for
 * minutes, and each command wait its whole time. Not sooner than this, however short a reply may take: a server that rewrites its file
 * stands still for a moment.
 */
const SILENCE_MS_MIN = 2_000;

/** How a client meets the loss of its connection. */
export type Patience =
  /** Whatever is not answered fails at once, and nothing waits for a connection. */
  | 'fails-fast'
  /** Commands wait for a connection; `subscribe` is made again on each. */
  | 'subscribes';

export interface ClientOptions {
  readonly name: string;
  readonly patience: Patience;
  /** For a reply; milliseconds. */
  readonly replyMsMax: number;
}

/** Begins to connect, and does so again for as long as it is not told to end. Whoever counts calls is told of its commands. */
export function createClient(place: RedisPlace, options: ClientOptions): RedisClient {
  const client = connectTo(place, options);
  // A subscription waits for its connection, which is no call's time.
  if (options.patience === 'fails-fast') tellCalls(client);
  return client;
}

/** A script that the server does not know yet is sent again with its text. */
const UNKNOWN_SCRIPT = /^NOSCRIPT\b/;

function tellCalls(client: RedisClient): void {
  const send = client.sendCommand;
  client.sendCommand = function tellCall(command: Command, ...rest: unknown[]) {
    const ended = beginCall('redis');
    if (ended !== undefined) {
      command.promise.then(
        () => ended(true),
        (error: unknown) => ended(error instanceof Error && UNKNOWN_SCRIPT.test(error.message)),
      );
    }
    return (send as (...given: unknown[]) => unknown).call(client, command, ...rest);
  };
}

function connectTo(place: RedisPlace, { name, patience, replyMsMax }: ClientOptions): RedisClient {
  const subscribes = patience === 'subscribes';
  const common = {
    connectionName: name,
    enableOfflineQueue: subscribes,
    autoResendUnfulfilledCommands: false,
    // It would leave the rejection of a subscription that a lost connection ends to nobody, and with that end the process.
    autoResubscribe: false,
    maxRetriesPerRequest: subscribes ? null : 0,
    connectTimeout: CONNECT_MS_MAX,
    keepAlive: 10_000,
    retryStrategy: (times: number) => Math.min(20 * times, RECONNECT_MS_MAX),
    ...(subscribes
      ? {}
      : { commandTimeout: replyMsMax, socketTimeout: Math.max(replyMsMax, SILENCE_MS_MIN) }),
    ...(place.user === undefined ? {} : { username: place.user }),
    ...(place.password === undefined ? {} : { password: place.password }),
    ...(place.tls ? { tls: {} } : {}),
  };
  const [first] = place.nodes;
  if (place.kind === 'cluster') {
    return new Cluster([...place.nodes], {
      enableOfflineQueue: subscribes,
      clusterRetryStrategy: (times) => Math.min(20 * times, RECONNECT_MS_MAX),
      retryDelayOnFailover: 100,
      slotsRefreshTimeout: CONNECT_MS_MAX,
      redisOptions: common,
    });
  }
  if (place.kind === 'sentinel') {
    return new Redis({
      ...common,
      sentinels: [...place.nodes],
      name: place.master ?? '',
      sentinelRetryStrategy: (times) => Math.min(20 * times, RECONNECT_MS_MAX),
      ...(place.tls ? { enableTLSForSentinelMode: true } : {}),
    });
  }
  return new Redis({ ...common, host: first?.host ?? '', port: first?.port ?? 0, db: place.database });
}

/** Those that are written to. */
export function serversOf(client: RedisClient): readonly Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}

/** Hears what is said on a channel, on each new connection again. What is said between two connections is lost. */
export function subscribe(client: RedisClient, channel: string, listener: (text: string) => void): void {
  client.on('message', (name: string, text: string) => {
    if (name === channel) listener(text);
  });
  // When it is refused or lost, the next connection brings the next try.
  const make = () => void client.subscribe(channel).catch(() => {});
  client.on('ready', make);
  if (client.status === 'ready') make();
}

/** Whether it can be used within `deadlineMs`. */
export function whenReady(client: RedisClient, deadlineMs: number): Promise<boolean> {
  if (client.status === 'ready') return Promise.resolve(true);
  return new Promise((resolve) => {
    const end = (ready: boolean) => {
      clearTimeout(deadline);
      client.off('ready', isReady);
      resolve(ready);
    };
    const isReady = () => end(true);
    const deadline = setTimeout(() => end(false), deadlineMs);
    client.on('ready', isReady);
  });
}
