/**
 * The whole node in its embedded default: gateway, journal, actors on worker threads, a Postgres of its own.
 *
 * Arguments: data directory; keys of the configuration as JSON, or nothing; `unmeasured`, so that its threads measure nothing, or nothing.
 */
import { loadConfig } from '../../deploy/config.js';
import { createLogger } from '../../deploy/logger.js';
import { Node } from '../../deploy/node.js';

const [dataDir = '', keys = '{}', measuring = ''] = process.argv.slice(2);
const config = await loadConfig(
  { TETHER_DATA_DIR: dataDir, TETHER_PORT: '0', TETHER_LOG_LEVEL: 'warn', ...JSON.parse(keys) },
  'up',
);
const node = await Node.start(config, createLogger({ level: 'warn' }), {
  measures: measuring !== 'unmeasured',
});
node.failed.then((error) => {
  throw error;
});
process.send?.({ port: node.port, databaseUrl: node.databaseUrl, apiToken: config.apiToken });
process.on('SIGTERM', async () => {
  await node.drain();
  process.exit(0);
});
