/**
 * A storm of duplicates: a gateway that does not see its echo repeats, and one that comes back repeats everything. Every notification comes many
 * times over; each may take effect once. Is a repeat cheaper than what is new, and is anything done twice?
 */
import { join } from 'node:path';
import { Pool } from 'pg';
import { Findings } from '../harness/findings.js';
import { interleaved } from '../harness/rounds.js';
import { type Scenario, WRK } from '../harness/scenario.js';
import { runBurst } from '../load/burst.js';
import { bodiesOf, logEmpties, rowsOf, startNode, writeNotifications } from './emp.js';

const SEED = 20_261_128;
const COUNT = 60_000;
const CONNECTIONS = 64;
const HANDLED_MS_MAX = 120_000;
/** Of what is sent, how many are different. */
const KINDS = [
  { name: 'all are new', unique: COUNT },
  { name: 'each comes 20 times', unique: COUNT / 20 },
  { name: 'one comes 60,000 times', unique: 1 },
] as const;
type Kind = (typeof KINDS)[number];

export const storm: Scenario = {
  name: 'storm',
  title: 'A storm of duplicates',
  needs: [WRK],
  minutes: 2,
  isUsual: true,
  async run(bench) {
    const { rounds = 3 } = bench;
    const found = new Findings([
      `${rounds} rounds; in each the whole node gets ${COUNT.toLocaleString('en')} notifications over ${CONNECTIONS} connections as fast as it answers: all of them new, ${COUNT / 20} that come twenty times each, and one that comes every time. Handled: until the log is empty. A row more or fewer than there were different ones ends the run.`,
    ]);
    const node = await startNode(bench, join(bench.directory, 'node'));
    const pool = new Pool({ connectionString: node.databaseUrl, max: 1 });
    bench.onEnd(() => pool.end());
    let seed = SEED;
    const measure = async ({ name, unique }: Kind) => {
      const requestsFile = join(bench.directory, `requests-${seed}`);
      // Beyond the count they would be new ones.
      const bodies = bodiesOf(seed++, unique === COUNT ? COUNT + CONNECTIONS : unique);
      writeNotifications(requestsFile, bodies);
      const before = await rowsOf(pool, 'events');
      const startMs = performance.now();
      const run = { port: node.port, count: COUNT, connections: CONNECTIONS, requestsFile };
      const acknowledged = await runBurst({ ...run, pinning: bench.pinning });
      await logEmpties(node, HANDLED_MS_MAX);
      const handled = (performance.now() - startMs) / 1_000;
      const rows = (await rowsOf(pool, 'events')) - before;
      const isRight = unique === COUNT ? rows >= COUNT && rows <= bodies.length : rows === unique;
      if (!isRight) throw new Error(`${name}: ${rows} rows of ${unique} different notifications`);
      return { acknowledged: COUNT / acknowledged, handled: COUNT / handled };
    };
    for (const kind of KINDS) await measure(kind);
    const measured = await interleaved(KINDS, rounds, async (kind, round) => {
      bench.note(`round ${round + 1} of ${rounds}: ${kind.name}`);
      return measure(kind);
    });
    const of = (kind: Kind, read: 'acknowledged' | 'handled') =>
      (measured.get(kind) ?? []).map((run) => run[read]);
    for (const read of ['acknowledged', 'handled'] as const) {
      found.group(
        read === 'handled' ? 'Handled' : 'Acknowledged',
        'notifications/s',
        'more',
        KINDS.map((kind) => ({ subject: kind.name, role: 'tether', rounds: of(kind, read) })),
      );
    }
    const [all, twenty, one] = KINDS;
    found.ratio('handled, each 20 times / all new', of(twenty, 'handled'), of(all, 'handled'), {
      atLeast: 1,
    });
    found.ratio('handled, one 60,000 times / all new', of(one, 'handled'), of(all, 'handled'));
    return found.done();
  },
};
