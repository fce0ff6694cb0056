/**
 * A store that each worker thread opens for itself: connections and file handles do not cross threads, the name of a module
 * and its settings do.
 */
import { StoreModuleError } from '../errors.js';
import { asError } from '../failure.js';
import type { SnapshotStore } from './snapshot.js';

/** Which store, as plain data: it is sent to every worker thread. */
export interface StoreModule {
  /** URL of a module whose default export is a `SnapshotStoreFactory`. */
  readonly module: string;
  /** What the factory is called with; must survive a structured clone. It may hold a secret: never for a log. */
  readonly settings: unknown;
}

export type SnapshotStoreFactory = (settings: unknown) => SnapshotStore | Promise<SnapshotStore>;

const METHODS: readonly (keyof SnapshotStore)[] = ['load', 'save', 'delete', 'close'];

/**
 * @throws StoreModuleError naming the module and the reason, when it is at fault; an error of the factory that has a code
 *   of its own (an outage, a damaged folder) as it is
 */
export async function loadSnapshotStore({ module, settings }: StoreModule): Promise<SnapshotStore> {
  let loaded: { readonly default?: unknown };
  try {
    loaded = await import(module);
  } catch (cause) {
    throw new StoreModuleError(`${module} does not load: ${asError(cause).message}`, { cause });
  }
  if (typeof loaded.default !== 'function') {
    throw new StoreModuleError(`${module} has no function as its default export`);
  }
  let store: unknown;
  try {
    store = await (loaded.default as SnapshotStoreFactory)(settings);
  } catch (cause) {
    // By a property, for the same reason as in failure.ts: the module may carry classes of its own.
    if (cause instanceof Error && 'retryable' in cause) throw cause;
    throw new StoreModuleError(`${module}: ${asError(cause).message}`, { cause });
  }
  const methods = Object(store) as Partial<Record<string, unknown>>;
  const missing = METHODS.find((name) => typeof methods[name] !== 'function');
  if (missing !== undefined) {
    throw new StoreModuleError(`${module} makes no snapshot store: it has no method ${missing}`);
  }
  return store as SnapshotStore;
}
