/** Writes the dashboards as JSON into `deploy/grafana`, or into the folder that is given: after a change of `dashboards.ts`, then format. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { grafanaJson } from './dashboard.js';
import { DASHBOARDS } from './dashboards.js';

const [folder = 'deploy/grafana'] = process.argv.slice(2);
for (const [name, dashboard] of Object.entries(DASHBOARDS)) {
  writeFileSync(join(folder, name), `${JSON.stringify(grafanaJson(dashboard), undefined, 2)}\n`);
}
