/**
 * Lets deliveries of all pools of a system through, or keeps them back: what is on the log then waits there, what threads have they finish.
 *
 * A pool that somebody paused stays paused, whatever the gate does.
 */
export class DeliveryGate {
  readonly #openings: (() => void)[] = [];
  #isShut = false;

  get isShut(): boolean {
    return this.#isShut;
  }

  shut(): void {
    this.#isShut = true;
  }

  open(): void {
    if (!this.#isShut) return;
    this.#isShut = false;
    for (const opened of this.#openings) opened();
  }

  /** `opened` is called at each opening, for as long as the gate lives. */
  onOpen(opened: () => void): void {
    this.#openings.push(opened);
  }
}
