/**
 * What is looked at before anything is sent: that the node is the one that is meant, that it is well, and that the token may do what will be
 * asked. A load that was meant for a laptop must not reach a node that takes real payments.
 */
import type { Status } from '../../gateway/api/status-schema.js';
import { isLoopback } from '../doctor/loopback.js';
import { UsageError } from '../errors.js';
import { TuneError } from './errors.js';

/** @param remote the host that whoever asks has named. @throws UsageError when it is not this machine, and not named */
async function checkPlace(url: string, remote: string | undefined): Promise<'here' | 'elsewhere'> {
  const { hostname } = new URL(url);
  const isHere = await isLoopback(hostname);
  if (isHere && remote === undefined) return 'here';
  if (remote === hostname) return isHere ? 'here' : 'elsewhere';
  if (remote === undefined) {
    throw new UsageError(
      `${hostname} is not this machine: the load leaves rows behind, and delays what comes meanwhile; if that is meant, give --remote ${hostname}`,
    );
  }
  throw new UsageError(`--remote names ${remote}, but the node is ${hostname}`);
}

/** @throws TuneError when what would be measured is trouble that is there already, or what waits from before */
function checkNode({ node, log, findings }: Status): void {
  if (node.mode === 'draining') throw new TuneError('the node drains; measure it when it serves');
  if (log.state !== 'open') throw new TuneError(`the log of the node is ${log.state}; mend that first`);
  const trouble = findings.find(({ code, severity }) => severity === 'critical' || code === 'pool-behind');
  if (trouble === undefined) return;
  throw new TuneError(`the node is not well: ${trouble.title} (${trouble.detail}); measure it when it is`);
}

/** @throws TuneError when the pool is not there, or does not work */
function checkPool({ pools }: Status, actor: string): void {
  const pool = pools.find((each) => each.actor === actor);
  if (pool === undefined) {
    const names = pools.map(({ actor }) => actor).join(', ');
    throw new TuneError(`no pool of ${actor} runs on this node${names === '' ? '' : `; there is ${names}`}`);
  }
  if (pool.mode !== 'running') {
    throw new TuneError(`pool ${actor} is ${pool.mode}; tether pools resume ${actor} lets it go on`);
  }
}

/** @throws TuneError */
function checkScopes(scopes: readonly string[]): void {
  if (!scopes.includes('operate')) {
    throw new TuneError('the API token may look and not change: --try and --write need the scope operate');
  }
}

export { checkNode, checkPlace, checkPool, checkScopes };
