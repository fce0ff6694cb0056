/**
 * The threads that take files in: a Piscina pool with a task for each stream.
 *
 * ```
 * open --close()--> closing --streams over, or the deadline--> closed
 * ```
 * A thread that ends takes its streams with it, each with `IntakeLostError`, and Piscina starts another.
 * (One host task a thread with all its streams over one port was the alternative: it needs routing, credit and the fate of each stream
 * by hand, to save 20 us in an upload.)
 */
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Logger } from '../../../runtime/logger.js';
import { type ObjectStoreSettings, PART_BYTES } from '../../../storage/objects/object-store.js';
import { IntakeBusyError, IntakeFailedError, IntakeLostError } from './errors.js';
import type { IntakeJob, IntakePool, IntakeStream } from './intake.js';
import type { IntakeOutcome, IntakeTask, ThreadSettings } from './protocol.js';
import { PortStream } from './stream.js';

/** Of a thread's heap, MiB. What it buffers of files is outside of it. */
const HEAP_MIB_MAX = 128;
/**
 * Of a thread, for parts. One for each of its streams, and the one that `PartBudget` keeps aside: a slow client needs minutes to fill a part, and
 * with 64 MiB for 32 clients of 50 KB/s, 24 of them were refused after megabytes, and would be again. Between the two bounds it is taken when
 * it is needed only; above the upper one, slow clients may have to come again.
 */
const PART_BYTES_MAX = { least: 64 * 1024 * 1024, most: 512 * 1024 * 1024 };

interface IntakeOptions {
  readonly threads: number;
  /** Streams at once. Their memory has a bound of its own, whatever their number: `PartBudget`. */
  readonly activeMax: number;
  readonly objects: ObjectStoreSettings;
  /** How long a stream waits for a store that is away before it fails, milliseconds. Default 30,000. */
  readonly outageMsMax?: number;
  readonly logger: Logger;
}

/** Starts its threads; they open the object store by themselves, at the first stream. */
export function startIntake({
  threads,
  activeMax,
  objects,
  outageMsMax = 30_000,
  logger,
}: IntakeOptions): IntakePool {
  if (!(threads >= 1 && activeMax >= 1)) throw new RangeError(`${activeMax} streams in ${threads} threads`);
  const piscina = new Piscina<IntakeTask, IntakeOutcome>({
    filename: new URL('./load-worker.cjs', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: activeMax,
    maxQueue: activeMax,
    idleTimeout: Number.POSITIVE_INFINITY,
    atomics: 'async',
    recordTiming: false,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX, maxYoungGenerationSizeMb: 16 },
    workerData: {
      objects,
      outageMsMax,
      partBytesMax: partBytesMax(activeMax, threads),
    } satisfies ThreadSettings,
  });
  piscina.on('error', (error: unknown) => logger.warn({ err: error }, 'an idle intake thread failed'));
  let mode: 'open' | 'closing' | 'closed' = 'open';
  const streams = new Set<Promise<unknown>>();

  function open(job: IntakeJob): IntakeStream {
    if (mode !== 'open') throw new IntakeBusyError('the node goes down');
    if (streams.size >= activeMax) throw new IntakeBusyError(`${activeMax} uploads are under way`);
    const { port1, port2 } = new MessageChannel();
    const stream = new PortStream(port1, () => piscina.run({ job, port: port2 }, { transferList: [port2] }));
    const over = stream.result.then(
      () => {},
      (error: unknown) => {
        // The others are told to who opened it, and are the client's or the store's doing.
        const isOurs = error instanceof IntakeLostError || error instanceof IntakeFailedError;
        logger[isOurs ? 'error' : 'debug'](
          { err: error, kind: job.kind },
          'a stream into the object store ended without a result',
        );
      },
    );
    streams.add(over);
    void over.then(() => streams.delete(over));
    return stream;
  }

  return {
    get active() {
      return streams.size;
    },
    open,
    async close(deadlineMs) {
      if (mode !== 'open') return;
      mode = 'closing';
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, deadlineMs);
      });
      await Promise.race([Promise.all(streams), deadline]);
      clearTimeout(timer);
      if (streams.size > 0) {
        logger.warn({ active: streams.size, deadlineMs }, 'uploads were cut off: they did not end in time');
      }
      mode = 'closed';
      await piscina.destroy();
      await Promise.all(streams);
    },
  };
}

/** Piscina gives a stream to the thread that has the fewest. */
function partBytesMax(activeMax: number, threads: number): number {
  const { least, most } = PART_BYTES_MAX;
  return Math.min(Math.max((Math.ceil(activeMax / threads) + 1) * PART_BYTES, least), most);
}
