/**
 * A burst as a day of direct debits brings it: a node at rest, then 50,000 notifications at once. How long until the last of them is acknowledged, beside a
 * bare uWebSockets.js handler, and until the effect of the last is committed, beside one bare `COPY` of the rows.
 */
import { join } from 'node:path';
import { Pool } from 'pg';
import { startChild } from '../harness/child.js';
import { Findings } from '../harness/findings.js';
import { type Scenario, WRK } from '../harness/scenario.js';
import { copiedRowsSeconds } from '../limits/copied-rows.js';
import { runBurst } from '../load/burst.js';
import { bodiesOf, PASSWORD, rowsOf, rowsReach, startNode, writeNotifications } from './emp.js';

const SEED = 20_261_127;
const COUNT = 50_000;
const CONNECTIONS = 256;
const COMMITTED_MS_MAX = 120_000;
/** A node at rest: what one burst left to do (archive, retention, collection of garbage) is over. */
const REST_MS = 3_000;

interface Round {
  readonly acknowledged: number;
  readonly committed: number;
  readonly bare: number;
  readonly copy: number;
}

export const burst: Scenario = {
  name: 'burst',
  title: 'A burst of 50,000 notifications',
  needs: [WRK],
  minutes: 2,
  isUsual: true,
  async run(bench) {
    const { rounds = 5 } = bench;
    const found = new Findings([
      `${rounds} rounds after one that warms up. In each the whole node, at rest for ${REST_MS / 1_000} s, gets ${COUNT.toLocaleString('en')} new notifications over ${CONNECTIONS} connections as fast as it answers; then a bare uWebSockets.js handler gets the same; then their rows are copied into an empty table of the same columns and keys in the same Postgres, in one COPY.`,
      `Acknowledged: from the first request to the last answer. Committed: from the first request until as many new rows stand in the table of events, looked for so that looking takes no more than a fifth of a core.`,
    ]);
    const node = await startNode(bench, join(bench.directory, 'node'));
    const bare = await startChild<{ readonly port: number }>(
      new URL('../subjects/bare.js', import.meta.url),
      [],
    );
    bench.onEnd(() => bare.stop());
    await bench.pinning.subject(bare.pid);
    const pool = new Pool({ connectionString: node.databaseUrl, max: 1 });
    bench.onEnd(() => pool.end());

    const one = async (round: number): Promise<Round> => {
      const requestsFile = join(bench.directory, `requests-${round}`);
      const bodies = bodiesOf(SEED + round, COUNT + CONNECTIONS);
      writeNotifications(requestsFile, bodies);
      const run = { count: COUNT, connections: CONNECTIONS, requestsFile, pinning: bench.pinning };
      const before = await rowsOf(pool, 'events');
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
      const startMs = performance.now();
      const acknowledged = await runBurst({ ...run, port: node.port });
      await rowsReach(pool, 'events', before + COUNT, COMMITTED_MS_MAX);
      const committed = (performance.now() - startMs) / 1_000;
      const bareSeconds = await runBurst({ ...run, port: bare.ready.port });
      const copy = await copiedRowsSeconds({
        databaseUrl: node.databaseUrl,
        notifications: COUNT,
        seed: SEED + round,
        password: PASSWORD,
      });
      bench.note(`round ${round} of ${rounds}`);
      return { acknowledged, committed, bare: bareSeconds, copy };
    };
    await one(0);
    const measured: Round[] = [];
    for (let round = 1; round <= rounds; round++) measured.push(await one(round));

    const of = (read: (round: Round) => number) => measured.map(read);
    found.group('Until the last is acknowledged', 's', 'less', [
      { subject: 'bare uWebSockets.js, nothing kept', role: 'limit', rounds: of(({ bare }) => bare) },
      { subject: 'Tether: the whole node', role: 'tether', rounds: of(({ acknowledged }) => acknowledged) },
    ]);
    found.group('Until the last is committed', 's', 'less', [
      { subject: 'one COPY of the rows', role: 'limit', rounds: of(({ copy }) => copy) },
      { subject: 'Tether: the whole node', role: 'tether', rounds: of(({ committed }) => committed) },
    ]);
    found.ratio(
      'last acknowledged / bare uWebSockets.js',
      of(({ acknowledged }) => acknowledged),
      of(({ bare }) => bare),
      { atMost: 2 },
    );
    found.ratio(
      'last committed / bare COPY',
      of(({ committed }) => committed),
      of(({ copy }) => copy),
      { atMost: 6 },
    );
    return found.done();
  },
};
