/**
 * Virtual time for a whole cluster: what happens, in the order in which it happens, one event at a time. Of two events of one moment the one
 * that was set first comes first, so the same seed gives the same run.
 *
 * After each event everything that it set off by promises comes to its end before the next one.
 */

interface Happening {
  readonly at: number;
  readonly order: number;
  /** Nothing waits by a promise for what it does. */
  readonly quiet: boolean;
  action: (() => void) | undefined;
}

const LOOKS_PER_TURN = 8;

export class Timeline {
  /** Milliseconds. */
  now = 0;
  /** Counts events. */
  turn = 0;
  /** A binary heap. */
  readonly #heap: Happening[] = [];
  #count = 0;
  #looks = 0;

  /** @param quiet its action starts nothing that goes on by promises; it saves a turn of the event loop */
  at(time: number, action: () => void, quiet = false): Happening {
    const happening = { at: Math.max(time, this.now), order: this.#count++, quiet, action };
    this.#push(happening);
    return happening;
  }

  in(ms: number, action: () => void, quiet = false): Happening {
    return this.at(this.now + ms, action, quiet);
  }

  /** Lets time go on to `end`, or until `isOver`, which is asked after each event. Whether it was over. */
  async run(end: number, isOver: () => boolean = () => false): Promise<boolean> {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > end) break;
      this.#pop();
      const { action } = next;
      if (action === undefined) continue;
      this.now = next.at;
      this.turn++;
      action();
      if (next.quiet) continue;
      // A tick comes when no promise has anything left to do; what waits for a turn of the event loop (a kernel that has much to do) gets one now and then.
      if (++this.#looks % LOOKS_PER_TURN === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      else await new Promise<void>((resolve) => process.nextTick(resolve));
      if (isOver()) return true;
    }
    this.now = end;
    return isOver();
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.push(happening) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(happening, heap[parent] as Happening)) break;
      heap[at] = heap[parent] as Happening;
      at = parent;
    }
    heap[at] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Happening;
    const { length } = heap;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(heap[child + 1] as Happening, heap[child] as Happening)) child++;
      if (!isBefore(heap[child] as Happening, last)) break;
      heap[at] = heap[child] as Happening;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
