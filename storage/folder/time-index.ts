/** What a store knows of its files without reading them, in the order of time and, within a millisecond, of name. */

export interface TimeEntry {
  /** Of the record's file. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Decides between entries of one time; unique. */
  readonly name: string;
}

export class TimeIndex<T extends TimeEntry> {
  readonly #byId: Map<string, T>;
  /** A change moves the entries behind it: 50 us for 100,000 of them, less than the file that goes with it. */
  readonly #sorted: T[];

  constructor(entries: readonly T[] = []) {
    this.#byId = new Map(entries.map((entry) => [entry.id, entry]));
    this.#sorted = [...this.#byId.values()].sort(compare);
  }

  get size(): number {
    return this.#byId.size;
  }

  get first(): T | undefined {
    return this.#sorted[0];
  }

  get(id: string): T | undefined {
    return this.#byId.get(id);
  }

  /** Earliest first. The index must not change meanwhile. */
  [Symbol.iterator](): Iterator<T> {
    return this.#sorted[Symbol.iterator]();
  }

  set(entry: T): void {
    this.delete(entry.id);
    this.#byId.set(entry.id, entry);
    this.#sorted.splice(this.#placeOf(entry), 0, entry);
  }

  delete(id: string): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    this.#byId.delete(id);
    this.#sorted.splice(this.#placeOf(entry), 1);
  }

  /** How many entries are less than `entry`. */
  #placeOf(entry: T): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = this.#sorted[middle];
      if (at !== undefined && compare(at, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compare(a: TimeEntry, b: TimeEntry): number {
  if (a.at !== b.at) return a.at - b.at;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
