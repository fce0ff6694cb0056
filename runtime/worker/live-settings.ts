/**
 * The settings of a thread's actor, which may change while it works.
 *
 * Promises:
 * - a change holds between two batches: nothing is handed out while `configure` works, and in scope `thread`, unless it is reentrant, the
 *   call under way is over before. (Elsewhere calls under way may wait for others of this thread: to wait for them would be for ever.)
 * - changes are made in their order; of those that come while one is made only the last is
 * - when `configure` throws, the thread goes on as it was; that is logged, and told to the main thread
 *
 * Modes: opening -> open <-> changing. A change that comes before the actor is open is what it opens with, or is made then.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ActorDefinition } from '../actor.js';
import { systemClock } from '../clock.js';
import { ReceiveTimeoutError } from '../errors.js';
import { causeOf } from '../failure.js';
import type { Scheduler } from '../kernel/scheduler.js';
import type { TypeHost } from '../kernel/type-host.js';
import type { Logger } from '../logger.js';
import { within } from '../within.js';
import type { Configured, HostTask, Settings } from '../worker-protocol.js';

interface OpenActor {
  readonly definition: ActorDefinition;
  readonly resources: unknown;
  readonly host: Pick<TypeHost, 'newest'>;
  readonly scheduler: Pick<Scheduler, 'hold' | 'release'>;
  /** Ends the thread: a hook that does not return in time cannot be stopped otherwise. */
  hung(error: Error): void;
}

export class LiveSettings {
  readonly #port: MessagePort;
  readonly #receiveMsMax: number;
  readonly #logger: Logger;
  #latest: Omit<Settings, 'type'>;
  /** The version that the actor has, or has refused. */
  #version: number;
  #mode: 'opening' | 'open' | 'changing' = 'opening';
  #actor: OpenActor | undefined;

  constructor({ port, settings, settingsVersion, receiveMsMax }: HostTask, logger: Logger) {
    this.#port = port;
    this.#receiveMsMax = receiveMsMax;
    this.#logger = logger;
    this.#latest = { version: settingsVersion, settings };
    this.#version = settingsVersion;
  }

  /** What the actor is to open with, now. */
  toOpen(): unknown {
    this.#version = this.#latest.version;
    return this.#latest.settings;
  }

  change(change: Settings): void {
    this.#latest = change;
    void this.#follow();
  }

  /** The actor is open, with what `toOpen` gave last. Resolves when it has what came since. */
  async opened(actor: OpenActor): Promise<void> {
    this.#actor = actor;
    this.#mode = 'open';
    await this.#follow();
  }

  async #follow(): Promise<void> {
    const actor = this.#actor;
    if (actor === undefined || this.#mode !== 'open') return;
    this.#mode = 'changing';
    while (this.#version < this.#latest.version) {
      const { version, settings } = this.#latest;
      const cause = await this.#configure(actor, settings);
      this.#version = version;
      this.#port.postMessage({ type: 'configured', version, cause } satisfies Configured);
    }
    this.#mode = 'open';
  }

  /** Why not, when it threw. */
  async #configure(actor: OpenActor, settings: unknown): Promise<Configured['cause']> {
    const { definition, resources, host, scheduler } = actor;
    scheduler.hold();
    try {
      if (definition.scope === 'thread' && !definition.reentrant) await host.newest?.calls.over();
      const done = Promise.resolve(definition.configure?.(resources, settings));
      if ((await within(systemClock, this.#receiveMsMax, done)) === 'late') {
        actor.hung(
          new ReceiveTimeoutError(
            `configure of actor ${definition.type} did not return in ${this.#receiveMsMax} ms`,
          ),
        );
      }
      return undefined;
    } catch (error) {
      this.#logger.error({ err: error }, 'an actor refuses its new settings, and keeps those that it had');
      return causeOf(error);
    } finally {
      scheduler.release();
    }
  }
}
