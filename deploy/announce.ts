/** What `tether up` says when it serves: where, how durable, and a line to try. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { PASSWORD_FILE } from '../storage/postgres/index.js';
import type { Config, Mode } from './config.js';
import { postgresDir } from './data-dir.js';
import { DEFAULT_ENDPOINT } from './endpoint.js';

const DURABILITY: Readonly<Record<Config['durability'], string>> = {
  commit: 'a message is answered after it is synced to the journal on this disk',
  memory: 'a message is answered once the kernel has it: a power cut may lose the last ones',
};

/** An unsigned notification; the id is made up. */
const SAMPLE_ID = '44177a21403427eb96664a6d7e5d5d48';
const SAMPLE_FIELDS = `transaction_id=tether_1001&unique_id=${SAMPLE_ID}&transaction_type=sdd_sale&status=approved&amount=4999&currency=EUR`;

/** @param node where it listens, and the URL of its Postgres, whose password is not shown */
export function announcement(
  config: Config,
  mode: Mode,
  { port, databaseUrl }: { readonly port: number; readonly databaseUrl: string },
): string {
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  const url = `http://${host}:${port}`;
  const lines = [
    `Tether listens on ${url}, data in ${config.dataDir}`,
    `Durability ${config.durability}: ${DURABILITY[config.durability]}`,
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
      `API token: ${config.apiToken}${config.apiTokenFile === undefined ? '' : ` (kept in ${config.apiTokenFile})`}`,
      '',
      'Try:',
      `  curl -i '${url}/webhooks/${DEFAULT_ENDPOINT.name}/${DEFAULT_ENDPOINT.token}' -d '${SAMPLE_FIELDS}&signature=${signature}'`,
      `  npx tether send emp --count 1000 --duplicates 10% --rate 500${port === 8080 ? '' : ` --url ${url}`}`,
      'Ctrl-C drains and stops it.',
    );
  }
  return `${lines.join('\n')}\n`;
}
