/**
 * The activations of one actor in one thread.
 *
 * `Activations` is what the host pushes entries to. There are two kinds, one for each scope of `actor.ts`: a single lane
 * for the whole thread, or a lane for each key that has come lately.
 *
 * A keyed activation loads its state before its first batch and again after a failure, since a `receive` that threw may
 * have left the state half changed. It is passivated when it has been idle for `idleMsMax`, or earlier, longest unused
 * first, when more than `ACTIVATIONS_MAX` are alive. Messages that come later simply activate the key anew, so nothing
 * needs to be buffered meanwhile.
 */
import type { ActorContext, ActorDefinition, Message } from '../actor.js';
import type { Entry } from './entry.js';
import { Lane, type LaneOptions } from './lane.js';

export type LaneSettings = Pick<LaneOptions, 'retry' | 'outcome' | 'clock' | 'random'>;
export type ThreadScope = Pick<ActorContext<unknown, unknown>, 'actor' | 'resources' | 'signal' | 'logger'>;

export interface Activations {
  push(entry: Entry): void;
  /** How many are alive. */
  readonly live: number;
  /** When the longest call of `receive` under way began, milliseconds; undefined when none is. */
  receivingSince(): number | undefined;
  /** Passivates what has been idle for too long. */
  sweep(): void;
  /** See `Lane.drain`. */
  drain(): Promise<void>;
  stop(): void;
}

/** Activations alive in one thread before the longest unused idle one goes. */
const ACTIVATIONS_MAX = 10_000;
const IDLE_MS_MAX = 60_000;
const BATCH_MAX = { thread: 500, key: 64 };

export function createActivations(
  definition: ActorDefinition,
  thread: ThreadScope,
  settings: LaneSettings,
): Activations {
  return definition.scope === 'thread'
    ? new ThreadActivation(definition, thread, settings)
    : new KeyedActivations(definition, thread, settings);
}

class ThreadActivation implements Activations {
  readonly live = 1;
  readonly #lane: Lane;

  constructor(definition: ActorDefinition, thread: ThreadScope, settings: LaneSettings) {
    const context = { ...thread, key: '', state: undefined };
    this.#lane = new Lane({
      ...settings,
      batchMax: definition.batchMax ?? BATCH_MAX.thread,
      lingerMs: definition.lingerMs ?? 0,
      receive: (messages) => definition.receive(messages, context),
    });
  }

  push(entry: Entry): void {
    this.#lane.push(entry);
  }

  receivingSince(): number | undefined {
    return this.#lane.receivingSince;
  }

  sweep(): void {}

  drain(): Promise<void> {
    return this.#lane.drain();
  }

  stop(): void {
    this.#lane.stop();
  }
}

interface Activation {
  readonly lane: Lane;
  usedAt: number;
}

class KeyedActivations implements Activations {
  /** Longest unused first: a used one is put in anew. */
  readonly #byKey = new Map<string, Activation>();
  readonly #definition: ActorDefinition;
  readonly #thread: ThreadScope;
  readonly #settings: LaneSettings;

  constructor(definition: ActorDefinition, thread: ThreadScope, settings: LaneSettings) {
    this.#definition = definition;
    this.#thread = thread;
    this.#settings = settings;
  }

  get live(): number {
    return this.#byKey.size;
  }

  push(entry: Entry): void {
    const { key } = entry.message;
    let activation = this.#byKey.get(key);
    if (activation === undefined) {
      activation = { lane: this.#activate(key), usedAt: 0 };
      if (this.#byKey.size >= ACTIVATIONS_MAX) this.#passivateLongestUnused();
    } else {
      this.#byKey.delete(key);
    }
    this.#byKey.set(key, activation);
    activation.usedAt = this.#settings.clock.now();
    activation.lane.push(entry);
  }

  receivingSince(): number | undefined {
    let since: number | undefined;
    for (const { lane } of this.#byKey.values()) {
      const began = lane.receivingSince;
      if (began !== undefined && (since === undefined || began < since)) since = began;
    }
    return since;
  }

  sweep(): void {
    const idleSince = this.#settings.clock.now() - (this.#definition.idleMsMax ?? IDLE_MS_MAX);
    for (const [key, { lane, usedAt }] of this.#byKey) {
      if (usedAt > idleSince) return;
      if (lane.empty) this.#byKey.delete(key);
    }
  }

  async drain(): Promise<void> {
    await Promise.all(Array.from(this.#byKey.values(), ({ lane }) => lane.drain()));
  }

  stop(): void {
    for (const { lane } of this.#byKey.values()) lane.stop();
  }

  /** All may be busy: then the map grows over its limit by them, which the dispatcher's credit bounds. */
  #passivateLongestUnused(): void {
    for (const [key, { lane }] of this.#byKey) {
      if (!lane.empty) continue;
      this.#byKey.delete(key);
      return;
    }
  }

  #activate(key: string): Lane {
    const definition = this.#definition;
    const unloaded = { ...this.#thread, key };
    let context: ActorContext<unknown, unknown> | undefined;
    return new Lane({
      ...this.#settings,
      batchMax: definition.batchMax ?? BATCH_MAX.key,
      lingerMs: definition.lingerMs ?? 0,
      receive: async (messages: readonly Message[]) => {
        const loaded = context ?? { ...unloaded, state: await definition.load?.(key, unloaded) };
        context = undefined;
        await definition.receive(messages, loaded);
        context = loaded;
      },
    });
  }
}
