/** `tether/testing`: for tests of one's own actors. */
export type { AnyDefinition, Around, Call } from './around.js';
export { UnsettledError } from './driver.js';
export type { TestDeadLetter } from './durable-path.js';
export { ExplorationError, type ExploreOptions, explore } from './explore.js';
export {
  type Chances,
  type FailOptions,
  type Faults,
  type FaultTarget,
  InjectedOutageError,
} from './faults.js';
export { type NextOptions, type Probe, ProbeError } from './probe.js';
export { StalledError } from './stall-guard.js';
export { TestSystem, type TestSystemOptions } from './test-system.js';
