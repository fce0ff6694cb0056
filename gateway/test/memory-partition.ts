/**
 * A partition in memory, for tests of the gateway: appends settle at once, or are held until the test says how they end.
 */
import { decodeEnvelope, type Envelope } from '../../runtime/envelope.js';
import type { LogClosedError, LogFullError } from '../../runtime/errors.js';
import type { AppendWaiter, Frame, LogPartition } from '../../runtime/message-log.js';

interface HeldAppend {
  readonly envelope: Envelope;
  readonly waiter: AppendWaiter;
}

export class MemoryPartition implements LogPartition {
  readonly actor: string;
  readonly index: number;
  readonly committed = 0;
  onAppended: (() => void) | undefined = undefined;
  /** What was acknowledged, in order. */
  readonly envelopes: Envelope[] = [];
  /** - `take`: settle at once; `later`: in a later turn of the event loop; `hold`: until `release`; an error: refuse */
  behaviour: 'take' | 'later' | 'hold' | LogFullError | LogClosedError = 'take';
  readonly held: HeldAppend[] = [];

  constructor(actor: string, index: number) {
    this.actor = actor;
    this.index = index;
  }

  get end(): number {
    return this.envelopes.length;
  }

  append(bytes: Uint8Array, waiter: AppendWaiter): void {
    const envelope = decodeEnvelope(Uint8Array.from(bytes));
    if (this.behaviour instanceof Error) waiter.appendFailed(this.behaviour);
    else if (this.behaviour === 'take') this.#settle({ envelope, waiter });
    else if (this.behaviour === 'later') setImmediate(() => this.#settle({ envelope, waiter }));
    else this.held.push({ envelope, waiter });
  }

  /** Settles what is held: as taken, or refused with `error`. */
  release(error?: LogFullError | LogClosedError): void {
    for (const append of this.held.splice(0)) {
      if (error === undefined) this.#settle(append);
      else append.waiter.appendFailed(error);
    }
  }

  read(): readonly Frame[] {
    return [];
  }

  commit(): void {}

  #settle({ envelope, waiter }: HeldAppend): void {
    this.envelopes.push(envelope);
    waiter.appended(this.envelopes.length - 1);
  }
}
