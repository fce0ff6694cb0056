/** Senders who wait until there is room again: all of them by one promise. */
export class Room {
  #waited: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  wait(): Promise<void> {
    if (this.#waited === undefined) {
      let resolve = () => {};
      const promise = new Promise<void>((called) => {
        resolve = called;
      });
      this.#waited = { promise, resolve };
    }
    return this.#waited.promise;
  }

  give(): void {
    this.#waited?.resolve();
    this.#waited = undefined;
  }
}
