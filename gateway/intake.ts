/**
 * Whether new messages are taken, and how many are between the socket and the log.
 *
 * ```
 * open --leave()--> leaving --drain()--> draining --close()--> closed
 *   `--------------------drain()-----------^                     ^
 *   `---------------------------close()--------------------------'
 * ```
 * One that leaves (a lame duck) still takes everything: it has only said that it will go, to whoever asks for its health.
 */
import { strict as assert } from 'node:assert';

export type IntakeMode = 'open' | 'leaving' | 'draining' | 'closed';

export class Intake {
  #mode: IntakeMode = 'open';
  #pending = 0;
  readonly #waiters = new Set<() => void>();
  readonly #drainListeners: (() => void)[] = [];

  get mode(): IntakeMode {
    return this.#mode;
  }

  /** Whether new messages are taken. */
  get isTaking(): boolean {
    return this.#mode === 'open' || this.#mode === 'leaving';
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

  /** Says that it will go, and goes on. Once it goes, a call changes nothing. */
  leave(): void {
    if (this.#mode === 'open') this.#mode = 'leaving';
  }

  /** From now on no new messages. A second call, or one after `close`, changes nothing. */
  drain(): void {
    if (!this.isTaking) return;
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
