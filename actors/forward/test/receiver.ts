/** For tests: a receiver of webhooks over real HTTP or HTTPS on loopback, which verifies them as receivers do, with the library of the standard. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Webhook } from 'standardwebhooks';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
export const OTHER_SECRET = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;

export interface Received {
  readonly id: string;
  readonly body: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** Answers a webhook that is verified. */
export type Answer = (received: Received, response: ServerResponse, times: number) => void;

export const ok: Answer = (_, response) => void response.writeHead(204).end();
export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    void response.writeHead(code, headers).end('no');

export interface Receiver {
  readonly port: number;
  readonly url: string;
  /** All that came, in order, with those that were not taken. */
  readonly received: Received[];
  /** Those that were answered with 2xx. */
  readonly taken: Received[];
  answer: Answer;
  close(): Promise<void>;
}

export async function openReceiver(
  t: { teardown(work: () => Promise<void>): void },
  answer: Answer = ok,
  { secret = SECRET, tls }: { readonly secret?: string; readonly tls?: ServerOptions } = {},
): Promise<Receiver> {
  const webhook = new Webhook(secret);
  const sockets = new Set<Socket>();
  const received: Received[] = [];
  const taken: Received[] = [];
  const times = new Map<string, number>();
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      webhook.verify(body, request.headers as Record<string, string>, { jsonParse: false });
      const id = String(request.headers['webhook-id']);
      const one = { id, body: body.toString(), path: request.url ?? '', headers: request.headers };
      received.push(one);
      times.set(id, (times.get(id) ?? 0) + 1);
      response.on('finish', () => {
        if (response.statusCode < 300) taken.push(one);
      });
      receiver.answer(one, response, times.get(id) ?? 1);
    });
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    port,
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/in`,
    received,
    taken,
    answer,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  t.teardown(() => receiver.close());
  return receiver;
}
