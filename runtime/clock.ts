/** Time, injected into whatever decides by it, so that a test advances it instead of waiting. */
export interface Clock {
  /** Milliseconds; since the epoch, where nothing else is said. */
  now(): number;
  /** Calls `action` once, after `ms` milliseconds, unless the returned function is called before. */
  after(ms: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  now: Date.now,
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};

/** For leases: it never jumps, and its origin means nothing. It goes on while the process is paused. */
export const monotonicClock: Clock = { ...systemClock, now: () => performance.now() };

/** A clock that stands still until it is advanced. */
export class ManualClock implements Clock {
  #now: number;
  #alarms: { readonly at: number; readonly action: () => void }[] = [];

  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, action: () => void): () => void {
    const alarm = { at: this.#now + ms, action };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
  }

  /** Alarms that are set. */
  get pending(): number {
    return this.#alarms.length;
  }

  /** Moves on by `ms`; alarms on the way ring in the order of their times. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#alarms.filter((alarm) => alarm.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#alarms = this.#alarms.filter((alarm) => alarm !== due);
      this.#now = due.at;
      due.action();
    }
    this.#now = end;
  }
}
