/** The states of one actor type's activations: made, restored from snapshots, and stored in them again. */
import type { ActorDefinition, PartitionEpoch } from '../actor.js';
import { ActivationStoppedError } from '../errors.js';
import type { Loadable } from './activation-host.js';
import type { ActivationContext } from './context.js';
import type { Entry } from './entry.js';
import type { VolatileMessage } from './letter.js';
import { advanced, contains, type Progress, type Snapshots } from './snapshots.js';

/** An activation, as the keeper of its state sees it. */
export interface Stateful extends Loadable {
  /** What the state contains of the log, where there are snapshots. */
  progress: Progress | undefined;
  /** Changes of the state, and up to which of them it is stored. */
  changes: number;
  stored: number;
}

const SAVES_AT_ONCE = 32;

export class States {
  readonly #definition: ActorDefinition;
  readonly #snapshots: Snapshots | undefined;
  readonly #owned: (key: string) => PartitionEpoch | undefined;

  /** @param owned of a key, how its partition is owned, where many processes read the log */
  constructor(
    definition: ActorDefinition,
    snapshots: Snapshots | undefined,
    owned: (key: string) => PartitionEpoch | undefined,
  ) {
    this.#definition = definition;
    this.#snapshots = snapshots;
    this.#owned = owned;
  }

  /** Gives an activation its state. */
  load(activation: Stateful, context: ActivationContext): Promise<void> | undefined {
    return this.#snapshots === undefined
      ? this.#make(activation, context)
      : this.#restore(this.#snapshots, activation, context);
  }

  /** Hands over messages, to an activation without a state too, and stores the state after them. */
  async receive(
    messages: readonly VolatileMessage[],
    context: ActivationContext,
    activation: Stateful,
  ): Promise<void> {
    if (!activation.loaded) await this.load(activation, context);
    await this.#definition.receive(messages as never, context);
    await this.#changed(activation);
  }

  /** The same; messages that the state contains already are done. */
  async receiveDurable(
    batch: readonly Entry[],
    context: ActivationContext,
    activation: Stateful,
  ): Promise<void> {
    if (!activation.loaded) await this.load(activation, context);
    const fresh = batch.filter((entry) => !contains(activation.progress, entry));
    if (fresh.length === 0) return;
    await this.#definition.receive(fresh.map(({ message }) => message) as never, context);
    activation.progress = advanced(activation.progress, fresh);
    await this.#changed(activation);
  }

  async save(activation: Stateful): Promise<void> {
    // What changes while the store writes is not in what it writes.
    const { changes, key } = activation;
    await this.#snapshots?.save(key, activation.state, activation.progress, this.#owned(key));
    activation.stored = Math.max(activation.stored, changes);
  }

  /** Stores what is not stored yet, of these. */
  async saveAll(activations: readonly Stateful[]): Promise<void> {
    const unsaved = activations.filter(({ changes, stored }) => changes !== stored);
    for (let at = 0; at < unsaved.length; at += SAVES_AT_ONCE) {
      await Promise.all(unsaved.slice(at, at + SAVES_AT_ONCE).map((activation) => this.save(activation)));
    }
  }

  async #changed(activation: Stateful): Promise<void> {
    // It was ended meanwhile: whatever it has now is no state to keep.
    if (!activation.loaded)
      throw new ActivationStoppedError('the activation ended before its state was stored');
    activation.changes++;
    if (this.#snapshots?.afterBatch) await this.save(activation);
  }

  async #restore(snapshots: Snapshots, activation: Stateful, context: ActivationContext): Promise<void> {
    const restored = await snapshots.load(activation.key);
    if (restored === undefined) {
      await this.#make(activation, context);
      return;
    }
    activation.state = restored.state;
    activation.progress = restored.progress;
    activation.opened();
  }

  #make(activation: Stateful, context: ActivationContext): Promise<void> | undefined {
    const made = this.#definition.state?.(activation.key, context);
    if (made instanceof Promise) {
      return made.then((state) => {
        activation.state = state;
        activation.opened();
      });
    }
    activation.state = made;
    activation.opened();
    return undefined;
  }
}
