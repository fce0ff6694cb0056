/**
 * A queue in a ring: what mailboxes and run queues are made of. Constant time at both ends, room for a power of two items, doubled
 * when it is full and given back when it empties after a rush. Whoever pushes keeps the bound.
 */

const SLOTS_MIN = 4;
/** An empty ring larger than this is let go. */
const SLOTS_KEPT = 1_024;

export class Ring<Item> {
  length = 0;
  #items: (Item | undefined)[] = [];
  #head = 0;
  #mask = -1;

  push(item: Item): void {
    if (this.length > this.#mask) this.#grow();
    this.#items[(this.#head + this.length++) & this.#mask] = item;
  }

  /** The oldest item; there must be one. */
  shift(): Item {
    const head = this.#head;
    const item = this.#items[head] as Item;
    this.#items[head] = undefined;
    this.#head = (head + 1) & this.#mask;
    if (--this.length === 0 && this.#mask >= SLOTS_KEPT) this.clear();
    return item;
  }

  /** The item at `index`, 0 the oldest. */
  at(index: number): Item {
    return this.#items[(this.#head + index) & this.#mask] as Item;
  }

  /** Takes out the item at `index`; the oldest comes into its place. */
  takeAt(index: number): Item {
    const slot = (this.#head + index) & this.#mask;
    const item = this.#items[slot] as Item;
    this.#items[slot] = this.#items[this.#head];
    this.shift();
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#mask = -1;
    this.length = 0;
  }

  #grow(): void {
    const slots = Math.max(SLOTS_MIN, this.length * 2);
    const items: (Item | undefined)[] = new Array(slots);
    for (let at = 0; at < this.length; at++) items[at] = this.at(at);
    // Slots without a value would make it a slower kind of array.
    for (let at = this.length; at < slots; at++) items[at] = undefined;
    this.#items = items;
    this.#head = 0;
    this.#mask = slots - 1;
  }
}
