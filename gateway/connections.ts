/**
 * How many connections a gateway has open, and a limit to them: one more is closed before a byte of it is read, and of TLS before the handshake.
 * So strangers who open connections and send nothing take neither the file handles of the node nor its memory; a balancer before it should have
 * a lower limit of its own, and let its clients wait.
 *
 * uWebSockets.js calls a filter when a connection opens and when it has closed, never for a request.
 */
import type { HttpResponse, TemplatedApp } from 'uWebSockets.js';

/** What the package does and its types leave out. `change`: 1 opened, -1 closed. */
interface FilteredApp {
  filter(handler: (res: HttpResponse, change: number) => void): void;
}

export class Connections {
  readonly #max: number;
  #open = 0;
  #refused = 0;

  /** @param max at least 1 */
  constructor(max: number) {
    this.#max = max;
  }

  get open(): number {
    return this.#open;
  }

  get refused(): number {
    return this.#refused;
  }

  /** Before it listens, once. */
  watch(app: TemplatedApp): void {
    const changed = (res: HttpResponse, change: number): void => {
      this.#open += change;
      if (change < 0 || this.#open <= this.#max) return;
      this.#refused++;
      // Its own end is told by -1.
      res.close();
    };
    (app as unknown as FilteredApp).filter(changed);
  }
}
