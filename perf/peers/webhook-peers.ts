/**
 * The peers that take webhooks, and how each is started: its store, its server, its worker. They take the notifications that Tether takes at
 * `POST /webhooks/:endpoint/:token`, answer when their queue has the job, and write `peer_events` and `peer_payments`.
 *
 * `isSynced` tells the peers that are as durable as Tether, which answers when the notification is on the disk: only these compare one to one.
 * While at work a peer takes up to 34 connections of Postgres, of which the embedded server has 50 for everybody; it gives them back 10 s after.
 */
import { join } from 'node:path';
import { type Child, startChild } from '../harness/child.js';
import { startNats } from './nats.js';
import { startRedis } from './redis.js';

const PEER_NAMES = ['bullmq', 'bullmq-synced', 'pg-boss', 'graphile-worker', 'nats', 'nats-synced'] as const;
type PeerName = (typeof PEER_NAMES)[number];

interface PeerOptions {
  /** For its store; is made. Not shared with another peer. */
  readonly directory: string;
  /** Where the worker writes, and where the queues in Postgres are. */
  readonly databaseUrl: string;
  /** The API password that signs. */
  readonly password: string;
  /** Without it jobs are only stored. Default true. */
  readonly worker?: boolean;
}

interface Peer {
  readonly port: number;
  readonly serverPid: number;
  readonly workerPid: number | undefined;
  /** Of Redis or NATS; undefined where the queue is in Postgres. */
  readonly storePid: number | undefined;
  stop(): Promise<void>;
}

interface PeerKind {
  readonly title: string;
  readonly isSynced: boolean;
  /** Of the compiled programs. */
  readonly server: URL;
  readonly worker: URL;
  /** Starts what the queue needs besides Postgres. */
  store?(directory: string): Promise<Store>;
}

interface Store {
  /** What the programs are told of it, before anything else. */
  readonly address: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const redis = (appendfsync: 'everysec' | 'always') => async (directory: string) => {
  const { port, pid, stop } = await startRedis(directory, { appendfsync });
  return { address: `${port}`, pid, stop };
};
const nats = (sync: 'default' | 'always') => async (directory: string) => {
  const { url, pid, stop } = await startNats(directory, { sync });
  return { address: url, pid, stop };
};
const BULLMQ = {
  server: new URL('./fastify-bullmq-server.js', import.meta.url),
  worker: new URL('./fastify-bullmq-worker.js', import.meta.url),
};
const NATS = {
  server: new URL('./fastify-nats-server.js', import.meta.url),
  worker: new URL('./fastify-nats-worker.js', import.meta.url),
};

const PEERS: Readonly<Record<PeerName, PeerKind>> = {
  bullmq: {
    ...BULLMQ,
    title: 'Fastify, BullMQ, Redis synced every second',
    isSynced: false,
    store: redis('everysec'),
  },
  'bullmq-synced': {
    ...BULLMQ,
    title: 'Fastify, BullMQ, Redis synced always',
    isSynced: true,
    store: redis('always'),
  },
  'pg-boss': {
    title: 'Fastify, pg-boss',
    isSynced: true,
    server: new URL('./fastify-pg-boss-server.js', import.meta.url),
    worker: new URL('./fastify-pg-boss-worker.js', import.meta.url),
  },
  'graphile-worker': {
    title: 'Express, graphile-worker',
    isSynced: true,
    server: new URL('./express-graphile-server.js', import.meta.url),
    worker: new URL('./express-graphile-worker.js', import.meta.url),
  },
  nats: { ...NATS, title: 'Fastify, NATS JetStream as it comes', isSynced: false, store: nats('default') },
  'nats-synced': {
    ...NATS,
    title: 'Fastify, NATS JetStream synced always',
    isSynced: true,
    store: nats('always'),
  },
};

const isPeerName = (name: string): name is PeerName => (PEER_NAMES as readonly string[]).includes(name);

/** Resolves when it takes notifications. Rejects with what its store or a program of its says; nothing of it runs then. */
async function startPeer(name: PeerName, options: PeerOptions): Promise<Peer> {
  const { server, worker, store: startStore } = PEERS[name];
  const { databaseUrl, password, worker: hasWorker = true } = options;
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (let last = stops.pop(); last !== undefined; last = stops.pop()) await last();
  };
  const program = async <Ready>(module: URL, args: readonly string[]): Promise<Child<Ready>> => {
    const child = await startChild<Ready>(module, args);
    stops.push(child.stop);
    return child;
  };
  try {
    const store = await startStore?.(join(options.directory, name));
    if (store !== undefined) stops.push(store.stop);
    const queue = store?.address ?? databaseUrl;
    const edge = await program<{ readonly port: number }>(server, [queue, password]);
    const working = hasWorker ? await program(worker, [queue, databaseUrl]) : undefined;
    return {
      port: edge.ready.port,
      serverPid: edge.pid,
      workerPid: working?.pid,
      storePid: store?.pid,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export { isPeerName, PEER_NAMES, PEERS, type Peer, type PeerName, type PeerOptions, startPeer };
