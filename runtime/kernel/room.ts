/** What senders wait for when a queue is full: all of them for the same moment. */
export class Room {
  #promise: Promise<void> | undefined;
  #resolve = () => {};

  /** Whether somebody waits. */
  get wanted(): boolean {
    return this.#promise !== undefined;
  }

  /** Resolves at the next `give`. */
  wait(): Promise<void> {
    this.#promise ??= new Promise<void>((resolve) => {
      this.#resolve = resolve;
    });
    return this.#promise;
  }

  /** There is room. */
  give(): void {
    this.#resolve();
    this.#promise = undefined;
  }
}
