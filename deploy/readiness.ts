/** Whether a node is ready, and what is the matter if it is not. */
import type { Readiness, Status } from '../gateway/index.js';
import type { ActorSystem } from '../runtime/actor-system.js';
import type { Database, DatabaseMode } from './database.js';
import type { NodeLog } from './node-log.js';
import type { NodePools } from './pools.js';
import type { NodeUploads } from './uploads.js';

/** What is looked at. */
export interface JudgedParts {
  readonly log: Pick<NodeLog, 'log' | 'shared'>;
  readonly system: ActorSystem;
  readonly database: Database;
  readonly pools: Pick<NodePools, 'mode'>;
  readonly uploads: NodeUploads | undefined;
}

/** `ok` from when the actors work with it, and only while nothing that uses it says that it is away. */
export function databaseState({
  system,
  database,
  pools,
}: Pick<JudgedParts, 'system' | 'database' | 'pools'>): 'ok' | 'away' | DatabaseMode {
  if (database.mode !== 'ready') return database.mode;
  if (pools.mode === 'new') return 'starting';
  const away = system.stats().actors.some(({ outage }) => outage === 'TETHER_POSTGRES_UNAVAILABLE');
  return away ? 'away' : 'ok';
}

/** What the node works with, as far as it is known without asking: `ok`, or what is the matter. */
export function dependencyStates(
  parts: JudgedParts,
): Pick<Status['dependencies'][number], 'name' | 'state'>[] {
  const { uploads, log } = parts;
  return [
    { name: 'postgres', state: databaseState(parts) },
    ...(uploads === undefined
      ? []
      : [{ name: 's3' as const, state: uploads.mode === 'ready' ? 'ok' : uploads.mode }]),
    ...(log.shared === undefined
      ? []
      : [{ name: 'redis' as const, state: log.log.state === 'away' ? 'away' : 'ok' }]),
  ];
}

/**
 * Ready means: a webhook that is sent now is kept, and actors are not failing again and again (supervision has escalated). Postgres
 * and the object store may be away; they are shown, and do not count.
 */
export function readinessOf(parts: JudgedParts): Readiness {
  const { log, system, uploads } = parts;
  const { state } = log.log;
  const { mode, actors, resting } = system.stats();
  const outages = actors.flatMap(({ actor, outage, broken, threads, unstable }) => [
    ...(outage === undefined ? [] : [`${actor} waits: ${outage}`]),
    ...(broken.length === 0 ? [] : [`${actor} cannot read partitions ${broken.join(', ')}`]),
    ...(threads.every((thread) => thread === 'lost') ? [`${actor} has no thread`] : []),
    ...(unstable ? [`${actor} loses its threads again and again`] : []),
    ...(resting.includes(actor) ? [`${actor} was restarted too often and rests`] : []),
  ]);
  return {
    ready:
      state === 'open' &&
      resting.length === 0 &&
      !actors.some(({ broken, unstable }) => broken.length > 0 || unstable),
    checks: {
      log: state === 'open' ? 'ok' : state,
      actors: outages.length > 0 ? outages.join('; ') : mode === 'running' ? 'ok' : mode,
      database: databaseState(parts),
      ...(uploads === undefined ? {} : { objects: uploads.mode === 'ready' ? 'ok' : uploads.mode }),
    },
  };
}
