/**
 * Redis servers for tests: Debian's package redis-server, on ports of 127.0.0.1, with an append-only file.
 *
 * A missing program fails the test.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
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

/** A master, a replica, and a Sentinel that makes the replica the master when the other has been silent for a second. */
export async function startTestSentinel(
  t: TestScope,
): Promise<{ readonly url: string; readonly master: TestRedis; readonly replica: TestRedis }> {
  const master = await startTestRedis(t);
  const replica = await startTestRedis(t, ['--replicaof', '127.0.0.1', `${master.port}`]);
  await until('the replica is in step', async () =>
    /master_link_status:up/.test(await replica.client.info('replication')),
  );
  const directory = await mkdtemp(join(tmpdir(), 'tether-sentinel-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'sentinel.conf');
  // A Sentinel writes what it learns into this file.
  await writeFile(
    file,
    `sentinel monitor main 127.0.0.1 ${master.port} 1
sentinel down-after-milliseconds main 1000
sentinel failover-timeout main 5000
`,
  );
  const sentinel = new Server(directory, await freePort(), [], file);
  await sentinel.start();
  t.teardown(() => sentinel.end());
  await until('the Sentinel knows the replica', async () =>
    /num-slaves 1/.test(`${await sentinel.client.call('SENTINEL', 'MASTER', 'main')}`.replaceAll(',', ' ')),
  );
  return { url: `redis+sentinel://127.0.0.1:${sentinel.port}/main`, master, replica };
}

/** Three masters that share the slots. The first stands for all of them in `url`. */
export async function startTestCluster(
  t: TestScope,
): Promise<{ readonly url: string; readonly nodes: readonly TestRedis[] }> {
  // By default a bus has the port 10,000 above the server's, which may be anybody's.
  const buses = await Promise.all([0, 1, 2].map(() => freePort()));
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--cluster-port'];
  const nodes = await Promise.all(buses.map((bus) => startTestRedis(t, [...settings, `${bus}`])));
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
  for (const [at, { port }] of nodes.entries()) {
    if (at > 0) await first.client.call('CLUSTER', 'MEET', '127.0.0.1', port, buses[at] ?? 0);
  }
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
  /** Of a Sentinel. */
  readonly #file: string | undefined;
  #child: ChildProcess | undefined;

  constructor(directory: string, port: number, settings: readonly string[], sentinelFile?: string) {
    this.#file = sentinelFile;
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
    const place = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.#directory];
    const args =
      this.#file === undefined
        ? [
            ...place,
            '--save',
            '',
            '--appendonly',
            'yes',
            '--maxmemory-policy',
            'noeviction',
            ...this.#settings,
          ]
        : [this.#file, '--sentinel', ...place];
    const child = spawn('redis-server', args, { stdio: ['ignore', 'ignore', 'inherit'] });
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
