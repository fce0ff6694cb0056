/** Everything that a run simulates: the servers, the links to them, and the nodes with their starts and ends. */
import { asError } from '../../../runtime/failure.js';
import type { Logger } from '../../../runtime/logger.js';
import type { Dice } from './dice.js';
import { Link } from './network.js';
import { Node, type NodeFlaws, type Shape } from './node.js';
import { type PostgresFlaws, PostgresServer } from './postgres-server.js';
import { Machine, Process } from './process.js';
import { RedisServer } from './redis-server.js';
import type { RedisFlaws } from './redis-state.js';
import type { Timeline } from './timeline.js';

/** What is broken on purpose. */
export interface Flaws {
  readonly redis?: RedisFlaws;
  readonly postgres?: PostgresFlaws;
  readonly node?: NodeFlaws;
}

export interface ClusterOptions {
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly shape: Shape;
  readonly nodes: number;
  /** Whether a crash of Redis loses its last second. */
  readonly everysec: boolean;
  readonly flaws: Flaws;
  readonly trace: ((text: string) => void) | undefined;
}

/** A machine that runs one node at a time, with its ways to the servers. */
export interface Site {
  readonly machine: Machine;
  readonly toRedis: Link;
  readonly toPostgres: Link;
  node: Node | undefined;
  incarnations: number;
  /** No node is started here any more. */
  abandoned: boolean;
}

/** By a supervisor, when a node ended by itself. */
const RESTART_MS = 500;

export class Cluster {
  readonly redis: RedisServer;
  readonly postgres: PostgresServer;
  readonly sites: readonly Site[];
  /** What happens when a batch begins, to its node: by the number of the batch. */
  readonly atBatch = new Map<number, (site: Site) => void>();
  #batches = 0;
  readonly #options: ClusterOptions;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { timeline, dice, nodes, everysec, flaws } = options;
    const machine = (name: string) =>
      new Machine(name, Math.floor(dice.between(0, 1e9)), dice.between(0.999, 1.001));
    this.redis = new RedisServer(timeline, machine('redis'), everysec, flaws.redis ?? {});
    this.postgres = new PostgresServer(timeline, machine('postgres'), flaws.postgres ?? {});
    this.sites = Array.from({ length: nodes }, (_, at) => ({
      machine: machine(`node-${at}`),
      toRedis: new Link(timeline, dice),
      toPostgres: new Link(timeline, dice),
      node: undefined,
      incarnations: 0,
      abandoned: false,
    }));
  }

  /** Nodes that are there, whatever state they are in. */
  get nodes(): readonly Node[] {
    return this.sites.flatMap(({ node }) => node ?? []);
  }

  start(site: Site): void {
    if (site.node !== undefined || site.abandoned) return;
    const { timeline, dice, shape, flaws } = this.#options;
    const { machine, toRedis, toPostgres } = site;
    const process = new Process(timeline, machine);
    const node = new Node({
      name: machine.name,
      incarnation: ++site.incarnations,
      process,
      shape,
      redis: this.redis,
      toRedis,
      postgres: this.postgres,
      toPostgres,
      seed: Math.floor(dice.random() * 2 ** 32),
      logger: this.#logger(machine.name),
      flaws: flaws.node ?? {},
      onBatch: () => this.#batch(site),
    });
    site.node = node;
    this.trace(`${machine.name}/${site.incarnations} starts`);
    node.start().catch((error: unknown) => {
      this.trace(`${machine.name} cannot start: ${asError(error).message}`);
      this.#ended(site, node, RESTART_MS);
    });
  }

  /** Its process ends; `withoutWord`: its machine does. Another one starts after `restartMs`. */
  kill(site: Site, withoutWord: boolean, restartMs: number): void {
    if (site.node === undefined) return;
    this.trace(`${site.machine.name} ${withoutWord ? 'loses its power' : 'is killed'}`);
    this.#ended(site, site.node, restartMs, withoutWord);
  }

  /** An orderly restart, as in a rolling upgrade. */
  restart(site: Site): void {
    const { node } = site;
    if (node === undefined || node.process.mode !== 'running') return;
    this.trace(`${site.machine.name} leaves`);
    void node.leave().then(() => this.#ended(site, node, RESTART_MS));
  }

  trace(text: string): void {
    this.#options.trace?.(text);
  }

  #batch(site: Site): void {
    const fault = this.atBatch.get(this.#batches++);
    if (fault !== undefined) this.#options.timeline.in(this.#options.dice.between(0, 5), () => fault(site));
  }

  #ended(site: Site, node: Node, restartMs: number, withoutWord = false): void {
    if (site.node !== node) return;
    node.process.end(withoutWord);
    site.node = undefined;
    this.#options.timeline.in(restartMs, () => this.start(site));
  }

  #logger(name: string): Logger {
    const { trace } = this.#options;
    const line = (level: string) => (fields: object, message: string) =>
      trace?.(logLine(name, level, fields, message));
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  }
}

function logLine(name: string, level: string, fields: object, message: string): string {
  const shown = Object.entries(fields).map(([key, value]) => `${key}=${show(value)}`);
  return `${name} ${level}: ${message}${shown.length > 0 ? ` (${shown.join(' ')})` : ''}`;
}

function show(value: unknown): string {
  return value instanceof Error ? value.message : typeof value === 'string' ? value : JSON.stringify(value);
}
