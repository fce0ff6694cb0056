/**
 * Sends EMP notifications at a constant rate whatever the answers do (open loop). A latency counts from the moment at which its request was due, so
 * that a stall counts for every request that it holds up: no coordinated omission. A request that finds all connections busy waits, and its
 * wait counts.
 *
 * Requests that have become due are sent once a millisecond, so a latency may be that much too long, never too short. How late the generator
 * saw each is told beside: where that is not small, the generator is what was measured.
 *
 * Arguments: port, path, password, connections, seed, and how many requests to build before the run (they are sent over and over; 0: each is built when it
 * is sent, and is sent once). Says `{}` when it is connected. At `{ seconds, rate }` it runs for so long and answers with `OpenLoopResult`.
 */

import { connect, type Socket } from 'node:net';
import { empTraffic } from '../../deploy/send/emp-traffic.js';
import { endWithParent } from '../harness/end-with-parent.js';
import { Latencies, type LatencySummary } from '../harness/latencies.js';
import { formRequest } from './wrk.js';

export interface OpenLoopOrder {
  readonly seconds: number;
  /** Requests a second. */
  readonly rate: number;
}

export interface OpenLoopResult {
  /** All of them were answered: 200, or `refused`. */
  readonly sent: number;
  /** Answers of 503. */
  readonly refused: number;
  readonly latency: LatencySummary;
  /** Of the generator itself: from the moment at which a request was due until it saw that. */
  readonly lateness: LatencySummary;
  /** Acknowledged until the end of the run, a second of the run. */
  readonly acknowledgedPerSecond: number;
}

const TICK_MS = 1;
const REST_MS_MAX = 60_000;
const TRAFFIC_MAX = 100_000_000;

const [port, path = '/', password = '', connections, seed, prepared] = process.argv.slice(2);
const traffic = empTraffic({
  seed: Number(seed),
  count: Number(prepared) || TRAFFIC_MAX,
  password,
  kinds: ['processing'],
})[Symbol.iterator]();
const built: Buffer[] = [];
for (let i = 0; i < Number(prepared); i++) built.push(build());
let nextBuilt = 0;

const idle: Connection[] = [];
/** Times at which requests were due that wait for a connection; those before `dueHead` are sent. */
let due: number[] = [];
let dueHead = 0;
let answered = 0;
let refused = 0;
const latencies = new Latencies();
const lateness = new Latencies();

function build(): Buffer {
  const next = traffic.next();
  if (next.done === true) throw new Error('the traffic is used up');
  return formRequest(path, next.value.body);
}

function request(): Buffer {
  if (built.length === 0) return build();
  nextBuilt = (nextBuilt + 1) % built.length;
  return built[nextBuilt] as Buffer;
}

/** An answer fits into it. */
const ANSWER_BYTES_MAX = 4_096;

/** One request at a time. It reads into one buffer over and over: a new one for each answer made the generator late by collecting them. */
class Connection {
  readonly #socket: Socket;
  #dueMs = 0;

  static open(): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const connection: Connection = new Connection(() => resolve(connection), reject);
    });
  }

  private constructor(opened: () => void, failed: (error: Error) => void) {
    const onread = {
      buffer: Buffer.alloc(ANSWER_BYTES_MAX),
      callback: (bytes: number, buffer: Uint8Array) => {
        this.#take(buffer, bytes);
        return true;
      },
    };
    this.#socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true, onread }, opened);
    this.#socket.on('error', failed);
  }

  send(dueMs: number): void {
    this.#dueMs = dueMs;
    this.#socket.write(request());
  }

  /** An answer comes in one packet here. */
  #take(buffer: Uint8Array, bytes: number): void {
    if (isStatus(buffer, '503')) refused++;
    else if (!isStatus(buffer, '200'))
      throw new Error(`no acknowledgement: ${Buffer.from(buffer.subarray(0, bytes)).toString('latin1')}`);
    answered++;
    latencies.record(performance.now() - this.#dueMs);
    idle.push(this);
    pump();
  }
}

/** `HTTP/1.1 200` */
const STATUS_AT = 9;

function isStatus(answer: Uint8Array, status: string): boolean {
  return (
    answer[STATUS_AT] === status.charCodeAt(0) &&
    answer[STATUS_AT + 1] === status.charCodeAt(1) &&
    answer[STATUS_AT + 2] === status.charCodeAt(2)
  );
}

function pump(): void {
  while (dueHead < due.length) {
    // The one unused for longest: uWebSockets.js closes what is idle for ten seconds.
    const connection = idle.shift();
    if (connection === undefined) return;
    connection.send(due[dueHead++] as number);
  }
  due = [];
  dueHead = 0;
}

async function run({ seconds, rate }: OpenLoopOrder): Promise<OpenLoopResult> {
  latencies.reset();
  lateness.reset();
  answered = 0;
  refused = 0;
  const intervalMs = 1_000 / rate;
  const count = Math.round(seconds * rate);
  const startMs = performance.now();
  let sent = 0;
  await new Promise<void>((resolve) => {
    const tick = setInterval(() => {
      const now = performance.now();
      for (; sent < count && startMs + sent * intervalMs <= now; sent++) {
        const dueMs = startMs + sent * intervalMs;
        lateness.record(now - dueMs);
        due.push(dueMs);
      }
      pump();
      if (sent < count) return;
      clearInterval(tick);
      resolve();
    }, TICK_MS);
  });
  const acknowledgedPerSecond = (answered - refused) / ((performance.now() - startMs) / 1_000);
  const deadlineMs = performance.now() + REST_MS_MAX;
  while (answered < count) {
    if (performance.now() > deadlineMs) throw new Error(`${count - answered} requests have no answer`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    sent,
    refused,
    latency: latencies.summary(),
    lateness: lateness.summary(),
    acknowledgedPerSecond,
  };
}

for (let i = 0; i < Number(connections); i++) idle.push(await Connection.open());
process.on('message', async (order: OpenLoopOrder) => {
  process.send?.(await run(order));
});
endWithParent();
process.on('SIGTERM', () => process.exit(0));
process.send?.({});
