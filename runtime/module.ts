import { type ActorDefinition, defineActor } from './actor.js';
import { ActorModuleError } from './errors.js';

/**
 * Loads the module at `url` and checks that it default-exports an actor.
 * @throws ActorModuleError naming the module and the reason
 */
export async function loadActor(url: string): Promise<ActorDefinition> {
  let loaded: { readonly default?: unknown };
  try {
    loaded = await import(url);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    const hint = /Unknown file extension "\.[cm]?ts"/.test(String(reason)) ? '; name the compiled file' : '';
    throw new ActorModuleError(`${url} does not load: ${reason}${hint}`, { cause });
  }
  if (typeof loaded.default !== 'object' || loaded.default === null) {
    throw new ActorModuleError(`${url} has no default export made by defineActor`);
  }
  try {
    return defineActor(loaded.default as ActorDefinition);
  } catch (cause) {
    throw new ActorModuleError(`${url}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
