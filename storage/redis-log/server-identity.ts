/**
 * Whether Redis still is the server that it was. One that has crashed, or a replica that took its place, may have lost the last of what it had
 * acknowledged (`appendfsync everysec`, replication). Other processes append behind the loss at once, so offsets that a reader knows soon stand
 * for other messages: to commit one of them would remove what nobody has read.
 *
 * Modes:
 *   known --a connection ends--> doubted --the same runs--> known
 *   doubted --another one runs--> known, after `onOther`
 *   any --stop--> stopped
 * In `doubted` no offset may be written down. In a Cluster it is all masters together.
 */
import { Cluster } from 'ioredis';
import type { Clock } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/logger.js';
import { type RedisClient, serversOf } from '../redis/client.js';
import { describe } from './errors.js';

const RETRY_MS = 100;

export interface ServerIdentityOptions {
  readonly client: RedisClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Nothing is sure from now on. */
  readonly onDoubt: () => void;
  /** Of what this process knew some may be lost; called before `onKnown`. */
  readonly onOther: () => void;
  readonly onKnown: () => void;
}

export class ServerIdentity {
  readonly #options: ServerIdentityOptions;
  #mode: 'new' | 'known' | 'doubted' | 'stopped' = 'new';
  #identity = '';
  /** Counts doubts: an answer from before one says nothing. */
  #doubts = 0;
  #cancel = () => {};

  constructor(options: ServerIdentityOptions) {
    this.#options = options;
  }

  /** @throws (rejects) what the client throws */
  async start(): Promise<void> {
    const { client } = this.#options;
    this.#identity = await identityOf(client);
    this.#mode = 'known';
    client.on('close', this.#doubt);
    client.on('ready', this.#look);
    // Of a Cluster some connections end while others go on.
    if (client instanceof Cluster) client.on('-node', this.#doubtAndLook);
    if (client instanceof Cluster) client.on('+node', this.#doubtAndLook);
  }

  stop(): void {
    this.#mode = 'stopped';
    this.#cancel();
  }

  readonly #doubt = (): void => {
    if (this.#mode !== 'known' && this.#mode !== 'doubted') return;
    this.#doubts++;
    this.#mode = 'doubted';
    this.#options.onDoubt();
  };

  readonly #doubtAndLook = (): void => {
    this.#doubt();
    this.#look();
  };

  /** Sent before anything else on a new connection: its answer comes before that of a read. */
  readonly #look = (): void => {
    if (this.#mode === 'doubted') void this.#ask(this.#doubts);
  };

  async #ask(doubts: number): Promise<void> {
    const { client, clock, logger, onOther, onKnown } = this.#options;
    this.#cancel();
    try {
      const identity = await identityOf(client);
      if (this.#mode !== 'doubted' || this.#doubts !== doubts) return;
      const isOther = identity !== this.#identity;
      this.#identity = identity;
      this.#mode = 'known';
      if (isOther) onOther();
      onKnown();
    } catch (error) {
      logger.debug({ reason: describe(error) }, 'Redis could not be asked whether it is the same');
      if (this.#mode !== 'doubted' || this.#doubts !== doubts) return;
      this.#cancel = clock.after(RETRY_MS, this.#look);
    }
  }
}

async function identityOf(client: RedisClient): Promise<string> {
  const texts = await Promise.all(serversOf(client).map((server) => server.info('server')));
  return texts
    .map((text) => /^run_id:(\w+)/m.exec(text)?.[1] ?? '')
    .sort()
    .join(' ');
}
