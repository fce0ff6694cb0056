/**
 * A node at a moment, as `GET /api/status` and the events of `GET /api/live` give it: what the console, `tether top` and `tether tune` show.
 * Times are milliseconds, moments milliseconds since the epoch, rates per second, sizes bytes.
 */
import { z } from 'zod';

const count = z.number().nonnegative();

/** Of the last ten seconds, milliseconds; null: nothing happened. */
const percentiles = z.object({ p50: count, p95: count, p99: count }).nullable();

const finding = z.object({
  severity: z.enum(['critical', 'warning', 'info']),
  /** Stable, for programs. */
  code: z.string(),
  title: z.string(),
  /** With the figures that were seen. */
  detail: z.string(),
  advice: z.string(),
  /** The pool or the dependency that it is about. */
  subject: z.string().optional(),
});

const poolSettings = z.object({
  min: count,
  max: count,
  /** Messages of one `receive`. */
  batchMax: count,
  lingerMs: count,
  /** Messages that one thread has at a time. */
  inFlightMax: count,
});

const thread = z.object({
  thread: count,
  mode: z.string(),
  partitions: count,
  /** Share of the last second that its event loop worked; null: not known yet. */
  busy: z.number().min(0).max(1).nullable(),
  heapBytes: count.nullable(),
  /** The longest of the last second. */
  eventLoopDelayMs: count.nullable(),
});

const pool = z.object({
  actor: z.string(),
  mode: z.enum(['running', 'paused', 'draining', 'drained', 'stopped']),
  threads: z.array(thread),
  min: count,
  max: count,
  resizing: z.boolean(),
  done: count,
  donePerSecond: count,
  inFlight: count,
  /** Acknowledged and not done. */
  lag: count,
  /** Activations alive. */
  live: count,
  /** How long a message waited lately before an actor began with it. */
  delayMs: count,
  /** How long a message that comes now will wait, as it looks: by what waits, and how fast it was worked off in the last seconds. */
  behindMs: count,
  /** In the thread, until an actor began. */
  queueMs: percentiles,
  /** One `receive`. */
  turnMs: percentiles,
  /** From the acceptance to the effect. */
  ageMs: percentiles,
  mailboxMax: count,
  outage: z.string().nullable(),
  unstable: z.boolean(),
  threadsLost: count,
  settings: z.object({ current: poolSettings, file: poolSettings, differs: z.boolean() }),
});

const dependency = z.object({
  name: z.enum(['postgres', 's3', 'redis']),
  /** `ok`, or what is the matter. */
  state: z.string(),
  callsPerSecond: count,
  failuresPerSecond: count,
  callMs: percentiles,
});

const rates = z.object({
  acknowledged: count,
  refused: count,
  done: count,
  deadLetters: count,
  acknowledgeMs: percentiles,
});

const statusSchema = z
  .object({
    at: count,
    node: z.object({
      name: z.string(),
      version: z.string(),
      role: z.enum(['all', 'gateway', 'worker']),
      mode: z.enum(['serving', 'draining']),
      startedAt: count,
      /** What an acknowledgement is worth, in words. */
      promise: z.string(),
    }),
    /** Worst first; empty: healthy. */
    findings: z.array(finding),
    rates,
    totals: z.object({
      acknowledged: count,
      refused: count,
      done: count,
      deadLettersWritten: count,
      /** Null while the store cannot be asked. */
      deadLettersWaiting: count.nullable(),
    }),
    log: z.object({
      driver: z.enum(['journal', 'redis']),
      state: z.string(),
      lag: count,
      /** The largest of a partition. */
      lagMax: count,
      bytes: count,
      /** Null: not known. */
      bytesMax: count.nullable(),
      commitMs: percentiles,
    }),
    pools: z.array(pool),
    dependencies: z.array(dependency),
    /** Null: this node is alone. */
    cluster: z
      .object({
        node: z.string(),
        /** Those that partitions are placed on. */
        nodes: z.array(z.string()),
        /** Those that take messages in and read no partition. */
        gateways: z.array(z.string()),
        owned: count,
        partitions: count,
        leasesLost: count,
      })
      .nullable(),
    /** The main thread, in which the gateway runs. */
    main: z.object({
      busy: z.number().min(0).max(1),
      eventLoopDelayMs: count,
      heapBytes: count,
      rssBytes: count,
    }),
  })
  .meta({ id: 'Status' });

const historySchema = z
  .object({
    /** One element for each of the last seconds, 300 at most, oldest first; the arrays are of one length. */
    at: z.array(count),
    acknowledged: z.array(count),
    refused: z.array(count),
    done: z.array(count),
    lag: z.array(count),
    acknowledgeMsP95: z.array(count.nullable()),
    ageMsP95: z.array(count.nullable()),
  })
  .meta({ id: 'History' });

type Status = z.output<typeof statusSchema>;
type Finding = z.output<typeof finding>;
type PoolStatus = z.output<typeof pool>;
type PoolSettings = z.output<typeof poolSettings>;
type Percentiles = z.output<typeof percentiles>;
type History = z.output<typeof historySchema>;

export {
  type Finding,
  type History,
  historySchema,
  type Percentiles,
  type PoolSettings,
  type PoolStatus,
  percentiles,
  poolSettings,
  type Status,
  statusSchema,
};
