/**
 * Whether new messages are taken, and how many are between the socket and the log.
 *
 * ```
 * open --drain()--> draining --close()--> closed
 *   `-----------------close()--------------^
 * ```
 */
import { strict as assert } from 'node:assert';

export type IntakeMode = 'open' | 'draining' | 'closed';

export class Intake {
  #mode: IntakeMode = 'open';
  #pending = 0;
  readonly #waiters = new Set<() => void>();
  readonly #drainListeners: (() => void)[] = [];

  get mode(): IntakeMode {
    return this.#mode;
  }

  /** Messages whose fate is open: the body is being read, or the append has not settled, whether or not the client is there. */
  get pending(): number {
    return this.#pending;
  }

  begin(): void {
    this.#pending++;
  }

  settle(): void {
    if (this.#pending === 0) assert.fail('more messages settled than begun');
    this.#pending--;
    if (this.#pending === 0) for (const waiter of this.#waiters) waiter();
  }

  /** Called once, when the drain begins: for what is no message and would go on for ever. */
  onDrain(listener: () => void): void {
    this.#drainListeners.push(listener);
  }

  /** From now on no new messages. A second call, or one after `close`, changes nothing. */
  drain(): void {
    if (this.#mode !== 'open') return;
    this.#mode = 'draining';
    for (const listener of this.#drainListeners) listener();
  }

  close(): void {
    this.#mode = 'closed';
  }

  /** Resolves when nothing is pending: true; or after `deadlineMs`: false. */
  idle(deadlineMs: number): Promise<boolean> {
    if (this.#pending === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (idle: boolean) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        resolve(idle);
      };
      const waiter = () => done(true);
      const timer = setTimeout(() => done(false), deadlineMs);
      this.#waiters.add(waiter);
    });
  }
}
