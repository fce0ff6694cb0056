/** The events of a system, to whoever listens. */
import type { ActorEvent } from './events.js';
import type { Logger } from './logger.js';

export type EventListener = (event: ActorEvent) => void;

export class EventStream {
  readonly #listeners = new Set<EventListener>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /**
   * Calls `listener` for every event from now on, in the thread of the system, until the returned function is called. Quick work
   * only: the next message waits for it. One that throws is logged, and hears the next event all the same.
   */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: ActorEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#logger.error({ err: error, kind: event.kind }, 'a listener of events failed');
      }
    }
  }
}
