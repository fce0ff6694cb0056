/**
 * `piscina.run` per message, on one thread: what a pool of workers costs where each message is a task. Every task is
 * answered, so its throughput is that of round trips with a window of them in flight.
 */
import { Piscina } from 'piscina';
import type { ParametersOf } from '../parameters.js';
import { runProgram } from '../program.js';

/** Tasks in flight, and as many as the thread may have at once. */
const WINDOW = 256;

const piscina = new Piscina<Uint8Array, number>({
  filename: new URL('./piscina-worker.js', import.meta.url).href,
  minThreads: 1,
  maxThreads: 1,
  concurrentTasksPerWorker: WINDOW,
  idleTimeout: Number.POSITIVE_INFINITY,
  recordTiming: false,
});

async function throughput({ messages, bytes }: ParametersOf<'cross-throughput'>): Promise<readonly number[]> {
  const message = new Uint8Array(bytes);
  let sent = 0;
  let arrived = 0;
  let arrivedBytes = 0;
  const lane = async () => {
    while (sent < messages) {
      sent++;
      const length = await piscina.run(message);
      arrivedBytes += length;
      arrived++;
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, lane));
  return [arrived, arrivedBytes];
}

async function ask({ asks, bytes }: ParametersOf<'cross-ask'>): Promise<readonly number[]> {
  const question = new Uint8Array(bytes);
  let right = 0;
  for (let asked = 0; asked < asks; asked++) if ((await piscina.run(question)) === bytes) right++;
  return [right];
}

await runProgram({ 'cross-throughput': throughput, 'cross-ask': ask });
await piscina.destroy();
