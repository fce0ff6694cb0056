/**
 * Sends EMP notifications as fast as they are acknowledged, each connection one at a time, and repeats what was answered by
 * 503 or lost with its connection. A process of its own, over bare sockets: it costs about a third of an HTTP client's CPU,
 * which matters where it shares two cores with what it measures.
 *
 * Arguments: port, path, connections, count, seed, password, `all` or `processing`. Says `{}` when it is connected; at any
 * message it begins, and answers with `BlastResult` when everything is acknowledged. With `progress` as a further argument it
 * says `{ acknowledged }` every second meanwhile.
 */
import { connect, type Socket } from 'node:net';
import { EMP_KINDS } from '../../deploy/send/emp-story.js';
import { empTraffic } from '../../deploy/send/emp-traffic.js';
import { formRequest } from './wrk.js';

export interface BlastResult {
  readonly acknowledged: number;
  readonly seconds: number;
  /** Answers of 503 and lost connections. */
  readonly repeats: number;
}

const REPEAT_MS = 100;
/** Up to so many requests are built before the run, so that signing them takes no CPU from what is measured. */
const PREPARED_MAX = 250_000;
const [port, path = '/', connections, count, seed, password = '', kinds, progress] = process.argv.slice(2);
const traffic = empTraffic({
  seed: Number(seed),
  count: Number(count),
  password,
  kinds: kinds === 'all' ? EMP_KINDS : ['processing'],
});
function* requests(): Generator<Buffer, void, undefined> {
  for (const { body } of traffic) yield formRequest(path, body);
}
const queue = Number(count) <= PREPARED_MAX ? [...requests()].values() : requests();
let acknowledged = 0;
let repeats = 0;
let startedAt = 0;

/** What one connection has under way. */
class Sender {
  #socket: Socket | undefined;
  #request: Buffer = Buffer.alloc(0);
  /** Bytes of the answer's body that are still to come. */
  #rest = 0;
  #idle = true;
  #status = '';

  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', resolve);
      socket.setNoDelay(true);
      socket.on('data', (chunk) => this.#answer(chunk));
      socket.on('error', reject);
      socket.on('close', () => {
        if (!this.#idle) this.#reconnect();
      });
      this.#socket = socket;
    });
  }

  next(): void {
    const { value, done } = queue.next();
    if (done === true) {
      this.#idle = true;
      this.#socket?.end();
      return;
    }
    this.#request = value;
    this.#send();
  }

  #send(): void {
    this.#idle = false;
    this.#rest = -1;
    this.#socket?.write(this.#request);
  }

  #answer(chunk: Buffer): void {
    if (this.#rest === -1) {
      const headEnd = chunk.indexOf('\r\n\r\n');
      const head = chunk.toString('latin1', 0, headEnd);
      if (headEnd < 0 || !head.startsWith('HTTP/1.1 ')) throw new Error(`no answer: ${chunk}`);
      this.#status = head.slice(9, 12);
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (length === undefined) throw new Error(`an answer without a length: ${head}`);
      this.#rest = Number(length) - (chunk.length - headEnd - 4);
    } else {
      this.#rest -= chunk.length;
    }
    if (this.#rest > 0) return;
    if (this.#status === '200') {
      acknowledged++;
      this.next();
      finish();
    } else if (this.#status === '503') {
      repeats++;
      setTimeout(() => this.#send(), REPEAT_MS);
    } else {
      throw new Error(`an answer of ${this.#status}`);
    }
  }

  #reconnect(): void {
    repeats++;
    this.#idle = true;
    setTimeout(() => {
      this.connect().then(
        () => this.#send(),
        () => this.#reconnect(),
      );
    }, REPEAT_MS);
  }
}

function finish(): void {
  if (acknowledged < Number(count)) return;
  process.send?.({
    acknowledged,
    repeats,
    seconds: (performance.now() - startedAt) / 1_000,
  } satisfies BlastResult);
  process.disconnect?.();
}

const senders = Array.from({ length: Number(connections) }, () => new Sender());
await Promise.all(senders.map((sender) => sender.connect()));
process.once('message', () => {
  startedAt = performance.now();
  for (const sender of senders) sender.next();
  if (progress === 'progress')
    setInterval(() => process.connected && process.send?.({ acknowledged }), 1_000).unref();
});
process.send?.({});
