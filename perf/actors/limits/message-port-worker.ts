/** The other thread of `message-port.ts`: counts what comes, or sends it back. */
import { type MessagePort, workerData } from 'node:worker_threads';

/** Begins a run; the messages of the run follow. */
interface Order {
  readonly kind: 'receive' | 'answer';
  readonly messages: number;
  readonly creditStep?: number;
}

export type ToMain =
  | { readonly kind: 'credit'; readonly messages: number }
  | { readonly kind: 'received'; readonly messages: number; readonly bytes: number };

const port = workerData as MessagePort;
let order: Order | undefined;
let messages = 0;
let bytes = 0;

port.on('message', (message: Order | Uint8Array) => {
  if (!(message instanceof Uint8Array)) {
    order = message;
    messages = 0;
    bytes = 0;
    return;
  }
  if (order === undefined) throw new Error('a message came before an order');
  messages++;
  if (order.kind === 'answer') {
    port.postMessage(message);
    return;
  }
  bytes += message.length;
  if (messages === order.messages) port.postMessage({ kind: 'received', messages, bytes } satisfies ToMain);
  else if (messages % (order.creditStep ?? 1) === 0)
    port.postMessage({ kind: 'credit', messages: order.creditStep ?? 1 } satisfies ToMain);
});
