/**
 * A client of the simulated Redis, in the shape of ioredis as `storage/redis/client.ts` sets it up: what is not answered when a connection ends
 * fails, nothing is sent again, and a reply that comes after its command was given up is nobody's.
 */
import { EventEmitter } from 'node:events';
import type { RedisClient } from '../../../storage/redis/client.js';
import type { Link } from './network.js';
import type { Process } from './process.js';
import type { RedisConnection, RedisReply, RedisServer } from './redis-server.js';
import type { Argument } from './redis-state.js';

export interface SimulatedClientOptions {
  readonly process: Process;
  readonly server: RedisServer;
  readonly link: Link;
  /** Undefined: commands wait for a connection, and for their reply for as long as it lasts. */
  readonly replyMsMax: number | undefined;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

const CONNECT_MS_MAX = 3_000;
const RECONNECT_MS_MAX = 500;
const NAMES = ['hmget', 'hsetnx', 'sadd', 'smembers', 'xrangeBuffer', 'publish', 'subscribe', 'info'];

export function simulatedClient(options: SimulatedClientOptions): RedisClient {
  return new SimulatedClient(options) as unknown as RedisClient;
}

class SimulatedClient extends EventEmitter {
  status: 'connecting' | 'ready' | 'reconnecting' | 'end' = 'connecting';
  readonly #options: SimulatedClientOptions;
  #connection: RedisConnection | undefined;
  #pending = new Map<number, Pending>();
  #count = 0;
  #tries = 0;
  #cancel = () => {};

  constructor(options: SimulatedClientOptions) {
    super();
    this.setMaxListeners(0);
    this.#options = options;
    for (const name of NAMES) this.defineCommand(name);
    this.#connect();
  }

  defineCommand(name: string): void {
    Object.assign(this, { [name]: (...given: readonly Argument[]) => this.#send(name, given) });
  }

  disconnect(): void {
    this.#cancel();
    this.status = 'end';
    this.#connection?.hangUp();
    this.#lost('Connection is closed.');
  }

  #connect(): void {
    const { server, link, process } = this.#options;
    const connection: RedisConnection = server.connect(link, process, {
      arrived: (replies) => {
        if (this.#connection === connection) for (const reply of replies) this.#heard(reply);
      },
      ended: () => {
        if (this.#connection === connection) this.#ended();
      },
    });
    this.#connection = connection;
    this.#cancel = process.monotonic.after(CONNECT_MS_MAX, () => {
      connection.hangUp();
      this.#ended();
    });
    connection.toServer({ id: 0, name: 'hello', given: [] });
  }

  #heard(reply: RedisReply): void {
    if ('channel' in reply) {
      this.emit('message', reply.channel, reply.text);
    } else if (reply.id === 0) {
      this.#cancel();
      this.#tries = 0;
      this.status = 'ready';
      this.emit('ready');
    } else {
      const pending = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if ('value' in reply) pending?.resolve(reply.value);
      else pending?.reject(reply.refusal);
    }
  }

  #ended(): void {
    this.#connection = undefined;
    this.#cancel();
    this.status = 'reconnecting';
    this.#lost('Connection is closed.');
    this.emit('close');
    const delayMs = Math.min(20 * ++this.#tries, RECONNECT_MS_MAX);
    this.#cancel = this.#options.process.monotonic.after(delayMs, () => this.#connect());
  }

  #lost(why: string): void {
    const pending = this.#pending;
    this.#pending = new Map();
    for (const { reject } of pending.values()) reject(new Error(why));
  }

  #send(name: string, given: readonly Argument[]): Promise<unknown> {
    const { process, replyMsMax } = this.#options;
    const connection = this.#connection;
    if (this.status !== 'ready' || connection === undefined)
      return Promise.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false"));
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      if (replyMsMax === undefined) this.#pending.set(id, { resolve, reject });
      else {
        const cancel = process.monotonic.after(replyMsMax, () => {
          this.#pending.delete(id);
          reject(new Error('Command timed out'));
        });
        this.#pending.set(id, {
          resolve: (value) => {
            cancel();
            resolve(value);
          },
          reject: (error) => {
            cancel();
            reject(error);
          },
        });
      }
      connection.toServer({ id, name, given });
    });
  }
}
