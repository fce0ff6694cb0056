/**
 * The whole node in its embedded default: gateway, journal, actors on worker threads, a Postgres of its own.
 *
 * Arguments: data directory; keys of the configuration as JSON, or nothing. Told `{ state: NodeState }`, it measures and traces as that says.
 */

import { BroadcastChannel } from 'node:worker_threads';
import { loadConfig } from '../../deploy/config.js';
import { createLogger } from '../../deploy/logger.js';
import { Node } from '../../deploy/node.js';
import { endWithParent } from '../harness/end-with-parent.js';
import { type NodeState, TRACING_CHANNEL } from './node-state.js';

const [dataDir = '', keys = '{}'] = process.argv.slice(2);
const config = await loadConfig(
  { TETHER_DATA_DIR: dataDir, TETHER_PORT: '0', TETHER_LOG_LEVEL: 'warn', ...JSON.parse(keys) },
  'up',
);
const node = await Node.start(config, createLogger({ level: 'warn' }));
node.failed.then((error) => {
  throw error;
});
process.send?.({ port: node.port, databaseUrl: node.databaseUrl, apiToken: config.apiToken });
const tracing = new BroadcastChannel(TRACING_CHANNEL);
tracing.unref();
process.on('message', ({ state }: { readonly state: NodeState }) => {
  node.measure(state !== 'none');
  tracing.postMessage(state === 'traced');
  process.send?.({ state });
});
endWithParent();
process.on('SIGTERM', async () => {
  await node.drain();
  process.exit(0);
});
