/**
 * Sends EMP notifications at a steady rate whatever the answers do (open loop), and measures from the moment at which a request was
 * due, so that a stall counts for every request that it holds up (no coordinated omission).
 *
 * Arguments: port, path, password, rate per second, connections, seed. At a message `{ seconds }` it runs for so long and answers with
 * `SteadyResult`. A request that finds all connections busy waits, and its wait counts.
 */
import { connect, type Socket } from 'node:net';
import { empTraffic } from '../../deploy/send/emp-traffic.js';
import { formRequest } from './wrk.js';

export interface SteadyResult {
  readonly sent: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const [port, path = '/', password = '', rate, connections, seed] = process.argv.slice(2);
const intervalMs = 1_000 / Number(rate);
const traffic = empTraffic({ seed: Number(seed), count: 1_000_000, password, kinds: ['processing'] })[
  Symbol.iterator
]();
const idle: Socket[] = [];
const due: number[] = [];
let latencies: number[] = [];

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => resolve(socket));
    socket.setNoDelay(true);
    socket.on('error', reject);
  });
}

function pump(): void {
  while (due.length > 0) {
    // The one unused for longest: uWebSockets.js closes what is idle for ten seconds.
    const socket = idle.shift();
    if (socket === undefined) return;
    const dueMs = due.shift() as number;
    const next = traffic.next();
    if (next.done === true) throw new Error('the traffic is used up');
    socket.once('data', (answer) => {
      if (!answer.subarray(0, 12).toString('latin1').endsWith('200'))
        throw new Error(`no acknowledgement: ${answer}`);
      latencies.push(performance.now() - dueMs);
      idle.push(socket);
      pump();
    });
    socket.write(formRequest(path, next.value.body));
  }
}

async function run(seconds: number): Promise<SteadyResult> {
  latencies = [];
  const count = Math.round(seconds * Number(rate));
  const startMs = performance.now();
  let sent = 0;
  await new Promise<void>((resolve) => {
    const tick = setInterval(() => {
      const now = performance.now();
      for (; sent < count && startMs + sent * intervalMs <= now; sent++)
        due.push(startMs + sent * intervalMs);
      pump();
      if (sent === count) {
        clearInterval(tick);
        resolve();
      }
    }, 1);
  });
  const deadlineMs = performance.now() + 60_000;
  while (latencies.length < count) {
    if (performance.now() > deadlineMs)
      throw new Error(`${count - latencies.length} requests have no answer`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.min(count - 1, Math.floor(count * share))] ?? Number.NaN;
  return { sent, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: latencies.at(-1) ?? Number.NaN };
}

for (let i = 0; i < Number(connections); i++) idle.push(await open());
process.on('message', async ({ seconds }: { readonly seconds: number }) => {
  process.send?.(await run(seconds));
});
process.on('SIGTERM', () => process.exit(0));
process.send?.({});
