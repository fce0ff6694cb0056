/**
 * The benchmarks between threads on a pool of workers, where each message is a task. A pool has no actors, so these two are all that it can run.
 * Every task is answered, so its throughput is that of round trips with a window of them in flight.
 */
import type { ParametersOf } from '../parameters.js';
import { type Program, runProgram } from '../program.js';

/** Tasks in flight, and as many as the thread may have at once. */
export const WINDOW = 256;

/** @param run does one task on the pool's thread: resolves with the bytes that came there */
export async function runTaskPool(run: (message: Uint8Array) => Promise<number>): Promise<void> {
  await runProgram({
    'cross-throughput': (parameters) => throughput(run, parameters),
    'cross-ask': (parameters) => ask(run, parameters),
  } satisfies Program);
}

async function throughput(
  run: (message: Uint8Array) => Promise<number>,
  { messages, bytes }: ParametersOf<'cross-throughput'>,
): Promise<readonly number[]> {
  const message = new Uint8Array(bytes);
  let sent = 0;
  let arrived = 0;
  let arrivedBytes = 0;
  const lane = async () => {
    while (sent < messages) {
      sent++;
      const length = await run(message);
      arrivedBytes += length;
      arrived++;
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, lane));
  return [arrived, arrivedBytes];
}

async function ask(
  run: (message: Uint8Array) => Promise<number>,
  { asks, bytes }: ParametersOf<'cross-ask'>,
): Promise<readonly number[]> {
  const question = new Uint8Array(bytes);
  let right = 0;
  for (let asked = 0; asked < asks; asked++) if ((await run(question)) === bytes) right++;
  return [right];
}
