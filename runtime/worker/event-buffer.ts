import type { ActorEvent } from '../events.js';

/** As many are sent at once, without waiting for the end of the turn. */
const EVENTS_MAX = 1_000;

/** Events of a thread on their way to the main thread: those of one turn go together. */
export class EventBuffer {
  readonly #send: (events: readonly ActorEvent[]) => void;
  #events: ActorEvent[] = [];
  #armed = false;

  constructor(send: (events: readonly ActorEvent[]) => void) {
    this.#send = send;
  }

  add(event: ActorEvent): void {
    this.#events.push(event);
    if (this.#events.length >= EVENTS_MAX) this.flush();
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(() => this.flush());
  }

  flush(): void {
    this.#armed = false;
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    this.#send(events);
  }
}
