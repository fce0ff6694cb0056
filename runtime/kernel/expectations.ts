/** Conditions that somebody waits for; whoever may have changed one says so by `settle`. */
export class Expectations {
  #expected: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];

  /** Resolves when `holds` does: at once, or at a `settle`. */
  when(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => this.#expected.push({ holds, resolve }));
  }

  settle(): void {
    if (this.#expected.length === 0) return;
    const before = this.#expected;
    this.#expected = before.filter(({ holds }) => !holds());
    for (const expected of before) if (!this.#expected.includes(expected)) expected.resolve();
  }
}
