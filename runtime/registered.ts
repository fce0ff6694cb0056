/** The actors that a system is told to run, loaded and checked; and what the log holds for others. */
import type { ActorDefinition } from './actor.js';
import { ActorModuleError, UnknownActorError } from './errors.js';
import { loadActor } from './module.js';
import type { FilledRegistration, FilledSystemOptions } from './system-options.js';

export interface Registered {
  readonly definition: ActorDefinition;
  readonly registration: FilledRegistration;
}

/** By type. @throws ActorModuleError, and what the modules throw */
export async function loadRegistered({
  actors,
  snapshots,
}: Pick<FilledSystemOptions, 'actors' | 'snapshots'>): Promise<ReadonlyMap<string, Registered>> {
  const loaded = new Map<string, Registered>();
  for (const registration of actors) {
    const definition = await loadActor(registration.module);
    const { type, snapshot } = definition;
    if (loaded.has(type))
      throw new ActorModuleError(`${registration.module}: actor ${type} is registered twice`);
    if (snapshot !== undefined && snapshots === undefined)
      throw new ActorModuleError(
        `${registration.module}: actor ${type} keeps snapshots, and the system has no store of them (its option snapshots)`,
      );
    loaded.set(type, { definition, registration });
  }
  return loaded;
}

/** @throws UnknownActorError: the log is this system's alone, and nobody would read what is on it for an actor that is not registered */
export function refuseForeign(
  { log, ownership, logger }: Pick<FilledSystemOptions, 'log' | 'ownership' | 'logger'>,
  registered: ReadonlyMap<string, Registered>,
): void {
  for (const actor of log.actors) {
    const waiting = log.open(actor).reduce((sum, { end, committed }) => sum + end - committed, 0);
    if (waiting === 0 || registered.has(actor)) continue;
    if (ownership === 'all') {
      throw new UnknownActorError(
        `the log holds ${waiting} messages for actor ${actor}, which is not registered`,
      );
    }
    // Others read the log too, and one of a later release may have it.
    logger.warn({ actor, waiting }, 'the log holds messages for an actor that is not registered here');
  }
}
