/**
 * Endpoints that messages are of and that a thread does not know: is one new and about to be known here, or was it removed?
 *
 * A node serves an endpoint as soon as it knows it; another one, whose actors get its messages, may know it seconds later. So a message of an unknown
 * endpoint waits, its key alone, until the endpoint was unknown for so long here; then it was removed, and it and all behind it are dead
 * letters at once: a backlog of thousands costs that time once, and not for each.
 *
 * When an endpoint was not asked for in a while, the next message of it may be of a new one of that name: it waits again.
 */
import { LRUCache } from 'lru-cache';
import { WebhookEndpointError, WebhookEndpointPendingError } from './errors.js';

/** A message that waits asks once a second. */
const FORGOTTEN_MS = 10_000;
const NAMES_MAX = 1_000;

interface Asked {
  readonly since: number;
  readonly last: number;
}

export class UnknownEndpoints {
  readonly #msMax: number;
  readonly #asked = new LRUCache<string, Asked>({ max: NAMES_MAX });

  /** @param msMax nodes look for new endpoints every two seconds, and a thread takes them between two batches */
  constructor(msMax: number) {
    this.#msMax = msMax;
  }

  /** What becomes of a message of it. */
  errorOf(name: string, nowMs: number): WebhookEndpointError | WebhookEndpointPendingError {
    const before = this.#asked.get(name);
    const isNew = before === undefined || nowMs - before.last > FORGOTTEN_MS || nowMs < before.last;
    const since = isNew ? nowMs : before.since;
    this.#asked.set(name, { since, last: nowMs });
    if (nowMs - since < this.#msMax) {
      return new WebhookEndpointPendingError(`this node does not know endpoint ${name} yet`);
    }
    return new WebhookEndpointError(`this node has no endpoint ${name}`);
  }

  /** It is known: should it go, and another of its name come, that one is new. */
  known(name: string): void {
    this.#asked.delete(name);
  }
}
