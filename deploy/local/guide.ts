/** What the terminal shows when the cluster is up: what runs where, and what to try. */
import { textTable } from '../commands/table.js';
import type { LocalCluster } from './cluster.js';
import { SETTINGS_FILE } from './place.js';

export function guide(cluster: LocalCluster): string {
  const { place, options, url, statsUrl, parts } = cluster;
  const rows = parts.map(({ name, pid, address, logFile }) => [
    name,
    pid === undefined ? '-' : `${pid}`,
    address,
    place.shown(logFile.slice(place.directory.length + 1)),
  ]);
  const pidOf = (name: string) => `$(cat ${place.shown('run', `${name}.pid`)})`;
  const elsewhere = options.port === 8080 ? '' : ` --url ${url}`;
  const secret = (name: string) => `file:${place.shown(name)}`;
  return `
${textTable(['NAME', 'PID', 'ADDRESS', 'LOG'], rows)}
The cluster is up: ${url}. What HAProxy sees: ${statsUrl}
What ends unasked is started again after two seconds. Ctrl-C drains and stops all of it.

Send, and watch:
  npx tether send emp --count 30000 --rate 1000 --duplicates 10%${elsewhere} \\
    --token ${secret('emp-token')} --password ${secret('emp-password')}
  curl -H "Authorization: Bearer $(cat ${place.shown('api-token')})" -F file=@debtors.csv ${url}/uploads
Ask whether it could go live:
  node --env-file=${place.shown(SETTINGS_FILE)} deploy/tether.js golive ${url} --dotenv ${place.shown(SETTINGS_FILE)} \\
    --endpoint-token ${secret('emp-token')} --password ${secret('emp-password')}
Break it meanwhile; every acknowledged message is in \`events\` once, whatever you do:
  kill -9 ${pidOf('worker-1')}       # the other worker takes its partitions over
  kill -9 ${pidOf('gateway-1')}      # HAProxy goes to the other gateway
  kill -STOP ${pidOf('worker-2')}    # a node that hangs past its leases; kill -CONT wakes it, fenced off
  kill -9 ${pidOf('redis')}          # senders get 503 until it is back
  kill -9 ${pidOf('pgbouncer')}      # messages are taken and wait
`;
}
