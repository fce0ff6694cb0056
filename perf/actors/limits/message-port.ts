/**
 * The bare MessagePort between two threads: one `postMessage` per message. One way with a window of credit, so that what
 * waits is bounded, as a runtime has to bound it; and asked and answered with one in flight.
 */
import { once } from 'node:events';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { ParametersOf } from '../parameters.js';
import { runProgram } from '../program.js';
import type { ToMain } from './message-port-worker.js';

/** Messages that may be on their way; the receiver gives credit back by halves. */
const WINDOW = 4_096;

async function throughput(
  port: MessagePort,
  { messages, bytes }: ParametersOf<'cross-throughput'>,
): Promise<readonly number[]> {
  const message = new Uint8Array(bytes);
  let sent = 0;
  let credit = WINDOW;
  const send = () => {
    for (; credit > 0 && sent < messages; credit--, sent++) port.postMessage(message);
  };
  port.postMessage({ kind: 'receive', messages, creditStep: WINDOW / 2 });
  return new Promise((resolve) => {
    port.on('message', (answer: ToMain) => {
      if (answer.kind === 'credit') {
        credit += answer.messages;
        send();
      } else {
        port.removeAllListeners('message');
        resolve([answer.messages, answer.bytes]);
      }
    });
    send();
  });
}

async function ask(
  port: MessagePort,
  { asks, bytes }: ParametersOf<'cross-ask'>,
): Promise<readonly number[]> {
  const question = new Uint8Array(bytes);
  let answers = 0;
  port.postMessage({ kind: 'answer', messages: asks });
  return new Promise((resolve) => {
    port.on('message', (answer: Uint8Array) => {
      if (answer.length === bytes) answers++;
      if (answers < asks) port.postMessage(question);
      else {
        port.removeAllListeners('message');
        resolve([answers]);
      }
    });
    port.postMessage(question);
  });
}

const { port1: port, port2 } = new MessageChannel();
const worker = new Worker(new URL('./message-port-worker.js', import.meta.url), {
  workerData: port2,
  transferList: [port2],
});
await once(worker, 'online');
await runProgram({
  'cross-throughput': (parameters) => throughput(port, parameters),
  'cross-ask': (parameters) => ask(port, parameters),
});
await worker.terminate();
