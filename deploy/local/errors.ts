/** What can go wrong with the cluster on one machine, beside a configuration that is refused. */
import { TetherError } from '../../runtime/errors.js';

/** A program of it does not start, or another cluster runs in its directory. */
export class LocalClusterError extends TetherError {
  readonly code = 'TETHER_LOCAL_CLUSTER';
  readonly retryable = true;
}
