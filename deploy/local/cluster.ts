/**
 * The cluster on one machine: HAProxy, gateway nodes, worker nodes, Redis, Postgres behind pgBouncer, an S3 server, as processes of ours.
 *
 * It starts from the servers to the edge and stops the other way around, so that nothing loses what it stands on: HAProxy takes no more,
 * gateways finish what they took, workers finish what they have, servers end.
 *
 * Modes: starting -> up; starting or up --stop()--> stopping -> stopped. A start that fails stops what it started.
 */
import { writeFile } from 'node:fs/promises';
import { PortBusyError } from '../../gateway/errors.js';
import { reasonNotToListen } from '../../gateway/port-probe.js';
import { findProgram } from '../../storage/find-program.js';
import { type DirectoryLock, lockDirectory } from '../../storage/journal/lock.js';
import { freePort } from '../../storage/test-free-port.js';
import { haproxyConfig } from '../haproxy/haproxy-config.js';
import type { Environment } from '../settings.js';
import { LocalClusterError } from './errors.js';
import { answersOk, node, refuseOwnKeys, writeEndpoints, writeSettings } from './nodes.js';
import type { ClusterOptions } from './options.js';
import type { Part, Tell } from './part.js';
import { Place, SETTINGS_FILE } from './place.js';
import { PostgresPart } from './postgres-part.js';
import { requirePrograms } from './programs.js';
import { pgbouncerServer, redisServer, s3Server } from './servers.js';
import { Supervised } from './supervised.js';

const HAPROXY_DRAIN_SECONDS = 10;
const HAPROXY_STOP_MS_MAX = 15_000;
/** For a cluster that is just ending. */
const LOCK_MS_MAX = 2_000;

/** From the edge to the servers, which is the order in which they are shown and stopped. */
type Layer = 'edge' | 'gateways' | 'workers' | 'pooler' | 'servers';
const LAYERS: readonly Layer[] = ['edge', 'gateways', 'workers', 'pooler', 'servers'];

export class LocalCluster {
  readonly place: Place;
  readonly options: ClusterOptions;
  readonly #env: Environment;
  readonly #tell: Tell;
  readonly #parts = new Map<Layer, Part[]>(LAYERS.map((layer) => [layer, []]));
  #mode: 'new' | 'starting' | 'up' | 'stopping' | 'stopped' = 'new';
  #lock: DirectoryLock | undefined;
  #starting: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  #statsPort = 0;

  /** `env`: what its nodes get beside what is decided here. */
  constructor(options: ClusterOptions, env: Environment, tell: Tell) {
    this.options = options;
    this.#env = env;
    this.#tell = tell;
    this.place = new Place(options.directory, tell);
  }

  get parts(): readonly Part[] {
    return LAYERS.flatMap((layer) => this.#parts.get(layer) ?? []);
  }

  get url(): string {
    return `http://127.0.0.1:${this.options.port}`;
  }

  /** Of the page on which HAProxy shows what it knows. */
  get statsUrl(): string {
    return `http://127.0.0.1:${this.#statsPort}/`;
  }

  /**
   * Resolves when the whole picture serves.
   * @throws ConfigError, LocalClusterError, PortBusyError, and what the embedded Postgres throws
   */
  async start(): Promise<void> {
    if (this.#mode !== 'new') throw new Error('a cluster is started once');
    this.#mode = 'starting';
    this.#starting = this.#start();
    try {
      await this.#starting;
      if (this.#mode === 'starting') this.#mode = 'up';
    } catch (error) {
      const told = this.#mode !== 'starting';
      await this.stop();
      // What fails because it was stopped is no failure.
      if (!told) throw error;
    }
  }

  /** In order. Idempotent, at any moment. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Everything, at once. */
  kill(): void {
    for (const part of this.parts) part.kill();
  }

  async #start(): Promise<void> {
    const { port, s3Url, gateways, workers } = this.options;
    refuseOwnKeys(this.#env);
    requirePrograms(s3Url === undefined);
    await this.place.make();
    this.#lock = await this.#locked();
    await this.place.forgetProcesses();
    const busy = await reasonNotToListen('127.0.0.1', port);
    if (busy !== undefined) throw busy instanceof PortBusyError ? portBusy(port, busy) : busy;
    await writeEndpoints(this.place);

    const postgres = new PostgresPart({
      ...this.place.program('postgres'),
      dataDir: this.place.path('postgres'),
    });
    const redis = await redisServer(this.place);
    const s3 = s3Url === undefined ? await s3Server(this.place) : { parts: [], url: s3Url };
    await this.#run('servers', [postgres, ...redis.parts, ...s3.parts]);
    const pooler = await pgbouncerServer(this.place, postgres.url);
    await this.#run('pooler', pooler.parts);

    const servers = { databaseUrl: pooler.url, redisUrl: redis.url, s3Url: s3.url };
    const nodes = (role: 'gateway' | 'worker', count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, n) =>
          node(this.place, role, `${role}-${n + 1}`, servers, this.#env),
        ),
      );
    const gatewayNodes = await nodes('gateway', gateways);
    const gatewayParts = gatewayNodes.map(({ part }) => part);
    await writeSettings(this.place.path(SETTINGS_FILE), gatewayNodes[0]?.settings ?? {});
    await Promise.all([
      this.#run(
        'workers',
        (await nodes('worker', workers)).map(({ part }) => part),
      ),
      this.#run('gateways', gatewayParts),
    ]);
    await this.#run('edge', [await this.#edge(gatewayParts)]);
  }

  async #stop(): Promise<void> {
    this.#mode = 'stopping';
    // What is being prepared is not started any more; what starts is stopped below, which lets the start come to its end.
    for (const layer of LAYERS) {
      const parts = this.#parts.get(layer) ?? [];
      await Promise.all(parts.map((part) => part.stop()));
    }
    await this.#starting.catch(() => undefined);
    await Promise.all(this.parts.map((part) => part.stop()));
    await this.#lock?.release();
    this.#mode = 'stopped';
  }

  async #locked(): Promise<DirectoryLock> {
    try {
      return await lockDirectory(this.place.directory, { waitMsMax: LOCK_MS_MAX });
    } catch (cause) {
      if (!(cause instanceof Error) || Reflect.get(cause, 'code') !== 'TETHER_JOURNAL_LOCKED') throw cause;
      throw new LocalClusterError(
        `a cluster runs in ${this.place.shown()} already, as process ${Reflect.get(cause, 'pid')}: stop it, or give this one another --dir and --port`,
        { cause },
      );
    }
  }

  async #run(layer: Layer, parts: readonly Part[]): Promise<void> {
    if (this.#mode !== 'starting') throw new LocalClusterError('it was stopped before it was up');
    this.#parts.get(layer)?.push(...parts);
    this.#tell(`${parts.map(({ name }) => name).join(', ')} ...`);
    await Promise.all(parts.map((part) => part.start()));
  }

  async #edge(gateways: readonly Part[]): Promise<Supervised> {
    const { port } = this.options;
    this.#statsPort = await freePort();
    const file = this.place.path('haproxy.cfg');
    const config = haproxyConfig({
      bind: `127.0.0.1:${port}`,
      gateways,
      statsBind: `127.0.0.1:${this.#statsPort}`,
      drainSeconds: HAPROXY_DRAIN_SECONDS,
    });
    await writeFile(file, config);
    return new Supervised({
      ...this.place.program('haproxy'),
      command: [findProgram('haproxy') ?? 'haproxy', '-db', '-f', file],
      env: process.env,
      address: `127.0.0.1:${port}`,
      stopSignal: 'SIGUSR1',
      stopMsMax: HAPROXY_STOP_MS_MAX,
      isUp: () => answersOk(port, '/health'),
    });
  }
}

function portBusy(port: number, cause: PortBusyError): LocalClusterError {
  return new LocalClusterError(`port ${port} is taken on this machine: give another one by --port`, {
    cause,
  });
}
