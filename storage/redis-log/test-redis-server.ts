/**
 * Redis servers for tests: Debian's package redis-server, on ports of 127.0.0.1, with an append-only file.
 *
 * A missing program fails the test.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { until } from '../../runtime/testing/until.js';
import { freePort } from '../test-free-port.js';

/** The part of tap's `t` that is used. */
export interface TestScope {
  teardown(work: () => Promise<void>): void;
}

export interface TestRedis {
  readonly port: number;
  readonly url: string;
  /** Its own client, for looking and for breaking. */
  readonly client: Redis;
  readonly pid: number;
  /** By default as a crash of the process would. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** On the same port and data. */
  start(): Promise<void>;
}

const START_MS_MAX = 10_000;

export async function startTestRedis(t: TestScope, settings: readonly string[] = []): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'tether-redis-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const server = new Server(directory, await freePort(), settings);
  await server.start();
  t.teardown(() => server.end());
  return server;
}

/** Three masters that share the slots. The first stands for all of them in `url`. */
export async function startTestCluster(
  t: TestScope,
): Promise<{ readonly url: string; readonly nodes: readonly TestRedis[] }> {
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'];
  const nodes = await Promise.all([0, 1, 2].map(() => startTestRedis(t, settings)));
  const [first] = nodes;
  if (first === undefined) throw new Error('a cluster without nodes');
  const slots = 16_384;
  await Promise.all(
    nodes.map(({ client }, at) =>
      client.call(
        'CLUSTER',
        'ADDSLOTSRANGE',
        Math.ceil((slots * at) / 3),
        Math.ceil((slots * (at + 1)) / 3) - 1,
      ),
    ),
  );
  for (const { port } of nodes.slice(1)) await first.client.call('CLUSTER', 'MEET', '127.0.0.1', port);
  await until('the cluster is formed', async () => {
    const infos = await Promise.all(nodes.map(({ client }) => client.call('CLUSTER', 'INFO')));
    return infos.every((info) => /cluster_state:ok/.test(`${info}`) && /known_nodes:3/.test(`${info}`));
  });
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
  return { url: `redis+cluster://${hosts}`, nodes };
}

class Server implements TestRedis {
  readonly port: number;
  readonly client: Redis;
  readonly #directory: string;
  readonly #settings: readonly string[];
  #child: ChildProcess | undefined;

  constructor(directory: string, port: number, settings: readonly string[]) {
    this.#directory = directory;
    this.port = port;
    this.#settings = settings;
    this.client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => 20 });
    // Refused while the server is not there.
    this.client.on('error', () => undefined);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('the server does not run');
    return this.#child.pid;
  }

  async start(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const args = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.#directory, '--save', ''];
    const child = spawn(
      'redis-server',
      [...args, '--appendonly', 'yes', '--maxmemory-policy', 'noeviction', ...this.#settings],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    this.#child = child;
    const failed = once(child, 'error').then(([cause]) => {
      throw new Error("redis-server does not start; it is in Debian's package redis-server", { cause });
    });
    failed.catch(() => {});
    await Promise.race([
      failed,
      until(
        'Redis answers',
        async () => {
          if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
          return await this.client.ping().then(
            () => true,
            () => false,
          );
        },
        START_MS_MAX,
      ),
    ]);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  async end(): Promise<void> {
    this.client.disconnect();
    await this.kill();
  }
}
