/** Items in the order of their last use: a list through the items themselves, so that a use costs a few pointers. */

export interface Recent<Item> {
  /** Neighbours; of the list alone. */
  older: Item | undefined;
  newer: Item | undefined;
}

export class Recency<Item extends Recent<Item>> {
  #oldest: Item | undefined;
  #newest: Item | undefined;

  get oldest(): Item | undefined {
    return this.#oldest;
  }

  get newest(): Item | undefined {
    return this.#newest;
  }

  /** Adds one that is not in the list, as the newest. */
  add(item: Item): void {
    item.older = this.#newest;
    item.newer = undefined;
    if (this.#newest !== undefined) this.#newest.newer = item;
    else this.#oldest = item;
    this.#newest = item;
  }

  /** It was just used. */
  touch(item: Item): void {
    if (item === this.#newest) return;
    this.remove(item);
    this.add(item);
  }

  remove(item: Item): void {
    const { older, newer } = item;
    if (older !== undefined) older.newer = newer;
    else if (this.#oldest === item) this.#oldest = newer;
    if (newer !== undefined) newer.older = older;
    else if (this.#newest === item) this.#newest = older;
    item.older = undefined;
    item.newer = undefined;
  }

  clear(): void {
    this.#oldest = undefined;
    this.#newest = undefined;
  }
}
