/** What `tether up` says when it serves: where, how durable, and a line to try. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { isHashedToken } from '../gateway/auth/token.js';
import { PASSWORD_FILE } from '../storage/postgres/index.js';
import type { Config } from './config.js';
import { postgresDir } from './data-dir.js';
import { DEFAULT_ENDPOINT } from './endpoint.js';
import type { Mode } from './settings.js';

/** In a cluster. */
const PLACE: Readonly<Record<Config['role'], string>> = {
  all: '',
  gateway: 'as a gateway, ',
  worker: 'as a worker, ',
};

/** An unsigned notification; the id is made up. */
const SAMPLE_ID = '44177a21403427eb96664a6d7e5d5d48';
const SAMPLE_FIELDS = `transaction_id=tether_1001&unique_id=${SAMPLE_ID}&transaction_type=sdd_sale&status=approved&amount=4999&currency=EUR`;

/** @param node where it listens, the URL of its Postgres, whose password is not shown, and what an acknowledgement is worth */
export function announcement(
  config: Config,
  mode: Mode,
  {
    port,
    databaseUrl,
    promise,
  }: { readonly port: number; readonly databaseUrl: string; readonly promise: string },
): string {
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  const url = `${config.tls === undefined ? 'http' : 'https'}://${host}:${port}`;
  const lines = [
    `Tether listens on ${url}, ${PLACE[config.role]}${config.redisUrl === undefined ? `data in ${config.dataDir}` : 'log in Redis'}`,
    `Durability ${config.durability}: ${promise}`,
  ];
  if (config.databaseUrl === undefined) {
    const { username, hostname, port: databasePort, pathname } = new URL(databaseUrl);
    lines.push(
      `Postgres: postgres://${username}@${hostname}:${databasePort}${pathname} (password in ${join(postgresDir(config.dataDir), PASSWORD_FILE)})`,
    );
  }
  // Only the published secret may be seen at work on a terminal.
  if (mode === 'up' && config.endpoints.includes(DEFAULT_ENDPOINT)) {
    const secret = DEFAULT_ENDPOINT.secrets[0] ?? '';
    const signature = createHash('sha1').update(`${SAMPLE_ID}${secret}`).digest('hex');
    lines.push(
      isHashedToken(config.apiToken)
        ? 'API token: the one whose hash TETHER_API_TOKEN is'
        : `API token: ${config.apiToken}${config.apiTokenFile === undefined ? '' : ` (kept in ${config.apiTokenFile})`}`,
      '',
      'Try:',
      `  curl -i '${url}/webhooks/${DEFAULT_ENDPOINT.name}/${DEFAULT_ENDPOINT.token}' -d '${SAMPLE_FIELDS}&signature=${signature}'`,
      `  npx tether send emp --count 1000 --duplicates 10% --rate 500${port === 8080 ? '' : ` --url ${url}`}`,
      'Ctrl-C drains and stops it.',
    );
  }
  return `${lines.join('\n')}\n`;
}
