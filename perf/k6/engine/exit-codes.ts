/** How a run ends, in k6's numbers. */
export const EXIT = Object.freeze({
  ok: 0,
  thresholds: 99,
  setupTimeout: 100,
  teardownTimeout: 101,
  /** The engine itself is at fault. */
  engine: 103,
  /** Options of the script or of the command line. */
  invalidConfig: 104,
  /** Ctrl-C. */
  interrupted: 105,
  /** The script threw while it was loaded, or in setup or teardown. */
  scriptException: 107,
  /** `test.abort`. */
  scriptAborted: 108,
});
