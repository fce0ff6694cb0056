/** Gauges of the log, the actors and the database, read at each scrape. */
import type { GatewayMetrics } from '../gateway/index.js';
import type { ActorStats, ActorSystem } from '../runtime/actor-system.js';
import type { Journal } from '../storage/journal/index.js';

export function registerNodeMetrics(
  metrics: GatewayMetrics,
  journal: Journal,
  system: ActorSystem,
  databaseState: () => string,
): void {
  const sum = (read: (actor: ActorStats) => number) => () =>
    system.stats().actors.reduce((total, actor) => total + read(actor), 0);
  metrics.gauge('tether_log_lag_messages', 'Messages acknowledged and not done', () => journal.lag());
  metrics.gauge('tether_log_open', '1 while the log takes messages', () => Number(journal.state === 'open'));
  metrics.gauge('tether_log_bytes', 'Bytes of the journal on the disk', () => journal.stats().diskBytes);
  metrics.gauge('tether_log_commits', 'Group commits of this process', () => journal.stats().commits);
  metrics.gauge('tether_log_appended', 'Messages appended by this process', () => journal.stats().appended);
  metrics.gauge(
    'tether_actor_done',
    'Messages handled by this process',
    sum(({ done }) => done),
  );
  metrics.gauge(
    'tether_actor_in_flight',
    'Messages that threads have',
    sum(({ inFlight }) => inFlight),
  );
  metrics.gauge(
    'tether_actor_threads_lost',
    'Worker threads that ended unasked',
    sum(({ threadsLost }) => threadsLost),
  );
  metrics.gauge(
    'tether_actor_outages',
    'Running actor types that wait for what they depend on; tether_database_ready tells before they run',
    sum(({ outage }) => Number(outage !== undefined)),
  );
  metrics.gauge(
    'tether_dead_letters_written',
    'Dead letters of this process',
    () => system.stats().deadLettersWritten,
  );
  metrics.gauge(
    'tether_database_ready',
    '1 while the schema is up to date and nothing says that the server is away',
    () => Number(databaseState() === 'ok'),
  );
}
