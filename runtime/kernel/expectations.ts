/** Conditions that somebody waits for; whoever may have changed one says so by `settle`. */
export class Expectations {
  #expected: { readonly holds: () => boolean; readonly resolve: () => void }[] | undefined;

  /** Resolves when `holds` does: at once, or at a `settle`. */
  when(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#expected ??= [];
      this.#expected.push({ holds, resolve });
    });
  }

  settle(): void {
    if (this.#expected === undefined) return;
    const held = this.#expected.filter(({ holds }) => holds());
    const left = this.#expected.filter((expected) => !held.includes(expected));
    this.#expected = left.length > 0 ? left : undefined;
    for (const { resolve } of held) resolve();
  }
}
