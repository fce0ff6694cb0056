/**
 * poolifier's `execute` per message, on one thread, beside `piscina.run`.
 *
 * Settings, after poolifier's general guidelines and the page of its API: the fixed pool, whose workers are there from the start, because the
 * dynamic one only spares memory between bursts; no queue of tasks (its default), so that all of the window is with the worker; its choice of
 * a worker in turn, which measures nothing, where those by run time are meant for long tasks; no events.
 */
import { fileURLToPath } from 'node:url';
import { FixedThreadPool, WorkerChoiceStrategies } from 'poolifier';
import { runTaskPool } from './task-pool.js';

const pool = new FixedThreadPool<Uint8Array, number>(
  1,
  fileURLToPath(new URL('./poolifier-worker.js', import.meta.url)),
  {
    workerChoiceStrategy: WorkerChoiceStrategies.ROUND_ROBIN,
    enableEvents: false,
    errorHandler: (error) => console.error(error),
  },
);
await runTaskPool((message) => pool.execute(message));
await pool.destroy();
