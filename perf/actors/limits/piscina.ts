/** `piscina.run` per message, on one thread: what a pool of workers costs where each message is a task. */
import { Piscina } from 'piscina';
import { runTaskPool, WINDOW } from './task-pool.js';

const piscina = new Piscina<Uint8Array, number>({
  filename: new URL('./piscina-worker.js', import.meta.url).href,
  minThreads: 1,
  maxThreads: 1,
  concurrentTasksPerWorker: WINDOW,
  idleTimeout: Number.POSITIVE_INFINITY,
  recordTiming: false,
});
await runTaskPool((message) => piscina.run(message));
await piscina.destroy();
