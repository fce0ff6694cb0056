/** Reminders in memory: they outlive a crash, and are due by the clock of the test. */
import type { Reminders } from '../actor.js';
import type { Clock } from '../clock.js';

interface Address {
  readonly type: string;
  readonly key: string;
}

export class MemoryReminders {
  readonly #clock: Clock;
  readonly #send: (address: Address, body: unknown) => void;
  readonly #cancels = new Map<string, () => void>();

  /** @param send puts a message on the log */
  constructor(clock: Clock, send: (address: Address, body: unknown) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  of(address: Address): Reminders {
    const nameOf = (name: string) => JSON.stringify([address.type, address.key, name]);
    return {
      set: async (name, { afterMs, everyMs }, body) => {
        if (!(afterMs >= 0) || (everyMs !== undefined && !(everyMs >= 1))) {
          throw new RangeError(`reminder ${name}: after ${afterMs} ms, every ${everyMs} ms`);
        }
        this.#set(nameOf(name), afterMs, everyMs, () => this.#send(address, body));
      },
      cancel: async (name) => {
        const id = nameOf(name);
        this.#cancels.get(id)?.();
        return this.#cancels.delete(id);
      },
    };
  }

  clear(): void {
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  #set(id: string, ms: number, everyMs: number | undefined, action: () => void): void {
    this.#cancels.get(id)?.();
    const due = () => {
      if (everyMs === undefined) this.#cancels.delete(id);
      else this.#set(id, everyMs, everyMs, action);
      action();
    };
    this.#cancels.set(id, this.#clock.after(ms, due));
  }
}
