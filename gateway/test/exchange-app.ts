/** For tests: a bare server whose requests are exchanges, handled as the test says. */

import uWS from 'uWebSockets.js';
import type { Test } from 'tap';
import { jsonAnswer, type SendOptions } from '../answer.js';
import { type BodyReceiver, Exchange, type RequestHead, readHead } from '../exchange.js';
import { RawClient } from './raw-client.js';

export interface ExchangeApp {
  /** In the order in which they came. */
  readonly exchanges: Exchange[];
  client(): Promise<RawClient>;
}

/** Closed at the end of the test. */
export async function startExchangeApp(
  t: Test,
  handle: (exchange: Exchange, head: RequestHead) => void,
  options: SendOptions & { readonly silenceMsMax?: number } = {},
): Promise<ExchangeApp> {
  const exchanges: Exchange[] = [];
  const app = uWS.App();
  app.any('/*', (res, req) => {
    const head = readHead(req);
    const exchange = new Exchange(res, head, { ...options, head: head.method === 'head' });
    exchanges.push(exchange);
    handle(exchange, head);
  });
  const socket = await new Promise<uWS.us_listen_socket>((resolve, reject) => {
    app.listen('127.0.0.1', 0, (listening) => {
      if (listening) resolve(listening);
      else reject(new Error('the test server does not listen'));
    });
  });
  const clients: RawClient[] = [];
  t.teardown(() => {
    for (const client of clients) client.destroy();
    app.close();
  });
  return {
    exchanges,
    async client() {
      const client = await RawClient.open(uWS.us_socket_local_port(socket as uWS.us_socket));
      clients.push(client);
      return client;
    },
  };
}

/** Keeps what it is told. */
export class RecordingReceiver implements BodyReceiver {
  readonly chunks: Uint8Array[] = [];
  bytes = 0;
  ends = 0;
  aborts = 0;
  /** What `chunk` says. */
  room = true;
  onChunk: () => void = () => {};
  onEnd: () => void = () => {};

  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  chunk(bytes: Uint8Array): boolean {
    this.chunks.push(bytes);
    this.bytes += bytes.byteLength;
    this.onChunk();
    return this.room;
  }

  end(): void {
    this.ends++;
    this.onEnd();
  }

  abort(): void {
    this.aborts++;
  }
}

/** Tells how much came, of which path. */
export const told = (path: string, bytes: number) => jsonAnswer({ path, bytes });
