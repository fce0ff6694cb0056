/**
 * A simulated Redis server: one state, commands one at a time, words for those who listen. After a crash it has what its append-only file has:
 * everything (synced always), or what it had up to a second before (everysec).
 */
import { decodeEnvelope, type Envelope } from '../../../runtime/envelope.js';
import { frameItems } from '../../../runtime/frame.js';
import { Connection, type End, type Link } from './network.js';
import { type Machine, Process } from './process.js';
import { type Argument, type RedisFlaws, RedisState, Refusal } from './redis-state.js';
import type { Timeline } from './timeline.js';

export interface RedisRequest {
  readonly id: number;
  readonly name: string;
  readonly given: readonly Argument[];
}

export type RedisReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly refusal: Refusal }
  | { readonly channel: string; readonly text: string };

export type RedisConnection = Connection<RedisRequest, RedisReply>;

const SYNC_MS = 1_000;

const nameOf = ({ actor, dedupe }: Envelope) => `${actor}/${dedupe}`;

export class RedisServer {
  readonly machine: Machine;
  readonly state: RedisState;
  process: Process;
  /** Messages that a crash took back, `actor/dedupe`. */
  readonly lost = new Set<string>();
  readonly #timeline: Timeline;
  readonly #listeners = new Map<string, Set<RedisConnection>>();
  /** As of the last sync; undefined when each command is synced. */
  #synced: unknown;

  constructor(timeline: Timeline, machine: Machine, everysec: boolean, flaws: RedisFlaws) {
    this.machine = machine;
    this.#timeline = timeline;
    this.process = new Process(timeline, machine);
    this.state = new RedisState(() => this.process.wall.now(), flaws);
    if (everysec) this.#sync();
  }

  connect(link: Link, client: Process, atClient: End<RedisReply>): RedisConnection {
    const connection: RedisConnection = new Connection<RedisRequest, RedisReply>(
      link,
      client,
      atClient,
      this.process,
      {
        arrived: (requests) => {
          for (const request of requests) this.#answer(connection, request);
        },
        ended: () => this.#forget(connection),
      },
    );
    return connection;
  }

  /** @param withoutWord clients find out when it is there again */
  crash(withoutWord: boolean): void {
    this.process.end(withoutWord);
    this.#listeners.clear();
  }

  start(): void {
    if (this.process.mode !== 'dead') return;
    if (this.#synced !== undefined) {
      for (const body of this.state.bodiesBeyond(this.#synced)) {
        for (const item of frameItems(body)) this.lost.add(nameOf(decodeEnvelope(item)));
      }
      this.state.restore(this.#synced);
      this.#synced = this.state.copy();
    }
    this.state.runId++;
    this.process.replaced = true;
    this.process = new Process(this.#timeline, this.machine);
    if (this.#synced !== undefined) this.process.monotonic.after(SYNC_MS, () => this.#sync());
  }

  #sync(): void {
    this.#synced = this.state.copy();
    this.process.monotonic.after(SYNC_MS, () => this.#sync());
  }

  #answer(connection: RedisConnection, { id, name, given }: RedisRequest): void {
    try {
      const value = this.state.run(name, given);
      if (name === 'subscribe') this.#listen(connection, String(given[0]));
      connection.toClient({ id, value });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      connection.toClient({ id, refusal: error });
    }
    for (const word of this.state.words) {
      for (const listener of this.#listeners.get(word.channel) ?? []) listener.toClient(word);
    }
  }

  #listen(connection: RedisConnection, channel: string): void {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(connection));
  }

  #forget(connection: RedisConnection): void {
    for (const listeners of this.#listeners.values()) listeners.delete(connection);
  }
}
