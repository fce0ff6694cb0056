/**
 * Changes of an actor's settings that are on their way to the threads of its pool, and who has yet to answer.
 *
 * A thread answers a change with its version, or with a later one when it passed over this one. A thread that ends answers nothing more:
 * whoever takes its place opens with the latest settings.
 */
import { ActorSettingsError, PoolRequestError } from '../errors.js';
import type { Configured } from '../worker-protocol.js';

interface Change {
  readonly version: number;
  /** That have not answered. */
  readonly threads: Set<number>;
  readonly refusals: string[];
  settle(): void;
}

/** Whoever changes settings faster than threads take them gains nothing by more. */
const UNDER_WAY_MAX = 1_000;

export class SettingsChanges {
  readonly #actor: string;
  readonly #underWay = new Set<Change>();
  #version = 0;

  constructor(actor: string) {
    this.#actor = actor;
  }

  /** Of the latest change; 0: there was none. */
  get version(): number {
    return this.#version;
  }

  /**
   * A change that these threads are to answer.
   * @throws PoolRequestError when too many are under way
   * @returns `taken` resolves when all have it, and rejects with ActorSettingsError when some refused it
   */
  begin(threads: readonly number[]): { readonly version: number; readonly taken: Promise<void> } {
    if (this.#underWay.size >= UNDER_WAY_MAX) {
      throw new PoolRequestError(`${UNDER_WAY_MAX} changes of the settings of ${this.#actor} are under way`);
    }
    const version = ++this.#version;
    const taken = new Promise<void>((resolve, reject) => {
      const refusals: string[] = [];
      const settle = () => {
        if (refusals.length === 0) resolve();
        else
          reject(
            new ActorSettingsError(`${this.#actor} keeps the settings it had in ${refusals.join('; ')}`),
          );
      };
      if (threads.length === 0) settle();
      else this.#underWay.add({ version, threads: new Set(threads), refusals, settle });
    });
    return { version, taken };
  }

  answered(thread: number, { version, cause }: Omit<Configured, 'type'>): void {
    const refusal = cause && `thread ${thread}: ${cause.message} (${cause.code})`;
    for (const change of [...this.#underWay])
      if (change.version <= version) this.#over(change, thread, refusal);
  }

  /** The thread has ended. */
  gone(thread: number): void {
    for (const change of [...this.#underWay]) this.#over(change, thread, undefined);
  }

  #over(change: Change, thread: number, refusal: string | undefined): void {
    if (!change.threads.delete(thread)) return;
    if (refusal !== undefined) change.refusals.push(refusal);
    if (change.threads.size > 0) return;
    this.#underWay.delete(change);
    change.settle();
  }
}
