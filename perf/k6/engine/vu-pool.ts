/** The VUs of a run that no iteration has, and the making of more of them up to a bound. */
import { type VuSettings, VuThread } from './vu-thread.js';

export class VuPool {
  readonly #settings: VuSettings;
  readonly #max: number;
  readonly #idle: VuThread[] = [];
  readonly #all = new Set<VuThread>();
  #nextId = 1;
  #growing: Promise<void> | undefined;
  #mode: 'open' | 'closed' = 'open';

  constructor(settings: VuSettings, max: number) {
    this.#settings = settings;
    this.#max = max;
  }

  get size(): number {
    return this.#all.size;
  }

  get busy(): number {
    return this.#all.size - this.#idle.length;
  }

  /** @throws ScriptError when the script cannot be loaded */
  async start(count: number): Promise<void> {
    // A thread that loads a script takes a core: two at a time are soonest done.
    const left = Array.from({ length: count }, () => this.#nextId++).values();
    const some = async () => {
      for (const id of left) this.#add(await VuThread.start(id, this.#settings));
    };
    await Promise.all([some(), some()]);
  }

  /** Undefined: all are busy. */
  take(): VuThread | undefined {
    return this.#idle.pop();
  }

  give(vu: VuThread): void {
    if (this.#all.has(vu)) this.#idle.push(vu);
  }

  /** Makes one more in the background, if there may be more and none is being made. */
  grow(): void {
    if (this.#growing !== undefined || this.#all.size >= this.#max || this.#mode === 'closed') return;
    this.#growing = VuThread.start(this.#nextId++, this.#settings)
      .then((vu) => this.#add(vu))
      .catch((error: unknown) => this.#settings.onLog('error', `no further VU: ${String(error)}`))
      .finally(() => {
        this.#growing = undefined;
      });
  }

  /** It was killed, or has ended by itself. */
  forget(vu: VuThread): void {
    this.#all.delete(vu);
  }

  async close(): Promise<void> {
    this.#mode = 'closed';
    await this.#growing;
    await Promise.all([...this.#all].map((vu) => vu.kill()));
  }

  #add(vu: VuThread): void {
    this.#all.add(vu);
    this.#idle.push(vu);
  }
}
