/**
 * Series of the pools: the times of messages, and how each thread does. Labels are actor types and numbers of threads, both bounded by the
 * configuration; keys of messages are in no label.
 */
import type { GatewayMetrics } from '../gateway/index.js';
import type { LoopSample } from '../runtime/measure/loop-meter.js';
import type { SystemMeasures } from '../runtime/measure/system-meter.js';
import type { TimeName } from '../runtime/measure/thread-meter.js';
import type { SystemStats } from '../runtime/system-stats.js';

export interface MeasuredPools {
  stats(): Pick<SystemStats, 'actors'>;
  measures(): Pick<SystemMeasures, 'pools'>;
}

const TIMES: readonly (readonly [name: string, help: string, time: TimeName])[] = [
  [
    'tether_log_wait_seconds',
    'Time of a message on the log, from its acceptance until a thread has it',
    'logWait',
  ],
  ['tether_actor_queue_seconds', 'Time of a message in its thread until an actor begins with it', 'queue'],
  ['tether_actor_turn_seconds', 'Time of a call of receive', 'turn'],
  ['tether_message_age_seconds', 'Time of a message from its acceptance until it is done', 'age'],
];

/** @param main how the main thread does; undefined before anybody knows */
export function registerPoolMetrics(
  metrics: GatewayMetrics,
  pools: MeasuredPools,
  main: () => LoopSample | undefined,
): void {
  for (const [name, help, time] of TIMES) {
    metrics.histogram(name, help, () =>
      pools.measures().pools.map(({ actor, times }) => ({ labels: { actor }, counts: times[time] })),
    );
  }
  const perThread = (name: string, help: string, read: (loop: LoopSample) => number) => {
    metrics.gauges(name, help, ['actor', 'thread'], () => {
      const own = main();
      const values = own === undefined ? [] : [{ labels: { actor: '', thread: 'main' }, value: read(own) }];
      for (const { actor, threadStats } of pools.stats().actors) {
        for (const { thread, loop } of threadStats) {
          if (loop !== undefined) values.push({ labels: { actor, thread: `${thread}` }, value: read(loop) });
        }
      }
      return values;
    });
  };
  perThread(
    'tether_thread_busy_ratio',
    'Share of the last second that the event loop was busy',
    ({ busy }) => busy,
  );
  perThread(
    'tether_thread_event_loop_delay_seconds',
    'The longest that the event loop was late in the last second',
    ({ eventLoopDelayMs }) => eventLoopDelayMs / 1_000,
  );
  perThread('tether_thread_heap_bytes', 'JavaScript heap in use', ({ heapBytes }) => heapBytes);
  perThread(
    'tether_thread_heap_bytes_max',
    'What tether_thread_heap_bytes may become before the thread ends',
    ({ heapBytesMax }) => heapBytesMax,
  );
  metrics.gauges('tether_actor_mailbox_max', 'Messages in the deepest mailbox', ['actor'], () =>
    pools.stats().actors.map(({ actor, mailboxMax }) => ({ labels: { actor }, value: mailboxMax })),
  );
}
