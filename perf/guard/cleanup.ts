/** What has to be undone at the end, however it comes: done, failed, or ended by Ctrl-C. The last first; each once. */
export class Cleanup {
  readonly #undos: (() => void | Promise<void>)[] = [];
  readonly #interrupted = new AbortController();
  #running: Promise<void> | undefined;

  /** Aborted by `interrupt`: for the programs that are waited for. */
  get signal(): AbortSignal {
    return this.#interrupted.signal;
  }

  /** Returns a function that undoes it now, and not at the end any more. What comes after the end is undone at once. */
  add(undo: () => void | Promise<void>): () => Promise<void> {
    this.#undos.push(undo);
    if (this.#running !== undefined) this.#running = this.#running.then(() => this.#run());
    return async () => {
      const at = this.#undos.indexOf(undo);
      if (at === -1) return;
      this.#undos.splice(at, 1);
      await undo();
    };
  }

  interrupt(): Promise<void> {
    this.#interrupted.abort(new Error('interrupted'));
    return this.run();
  }

  /** Whatever fails is said on stderr, and the rest is undone all the same. */
  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    for (let undo = this.#undos.pop(); undo !== undefined; undo = this.#undos.pop()) {
      try {
        await undo();
      } catch (error) {
        process.stderr.write(`not cleaned up: ${error instanceof Error ? error.message : error}\n`);
      }
    }
  }
}
