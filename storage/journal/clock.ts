/** Time, as the journal needs it: injected, so that a test decides what time it is. */
export interface JournalClock {
  /** Microseconds from any fixed point, never running backwards. */
  nowUs(): number;
  /** Calls `callback` once, later; does not keep the process alive. Returns what cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

export const realClock: JournalClock = {
  nowUs: () => performance.now() * 1000,
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
