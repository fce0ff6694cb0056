/**
 * Five million messages wait, and then are handled: after a night without workers. Does a message cost more behind millions of others, and does memory
 * grow with what waits?
 *
 * BACKLOG_MESSAGES in the environment: another number of messages, for a short try.
 */
import { join } from 'node:path';
import { Pool } from 'pg';
import { Findings } from '../harness/findings.js';
import { residentBytesOfTree } from '../harness/process-stats.js';
import type { Scenario } from '../harness/scenario.js';
import { spread } from '../harness/table.js';
import { api, preparedBlast, progressOf, rowsBecome, type StartedNode, startNode } from './emp.js';

const SEED = 20_261_130;
const FEW = 60_000;
const CONNECTIONS = 64;
const LOOK_MS = 1_000;
const DEADLINE_MS = 3_600_000;
const POOL = '/api/pools/payment';

interface Sample {
  /** Seconds since the work began. */
  readonly at: number;
  readonly done: number;
  readonly mib: number;
}

export const backlog: Scenario = {
  name: 'backlog',
  title: 'Five million messages wait',
  needs: [],
  minutes: 12,
  isUsual: false,
  async run(bench) {
    const messages = Number(process.env.BACKLOG_MESSAGES ?? 5_000_000);
    const found = new Findings([
      `The pool of the payment actor is paused, ${messages.toLocaleString('en')} notifications are sent over ${CONNECTIONS} connections and acknowledged, the pool goes on, and every second it is looked how many are done. Before that the same with ${FEW.toLocaleString('en')}. At the end there is one row for each.`,
      'Memory is what is resident of the node and all that it started, without Postgres.',
    ]);
    const node = await startNode(bench, join(bench.directory, 'node'), {
      TETHER_JOURNAL_BYTES_MAX: '64GiB',
    });
    const pool = new Pool({ connectionString: node.databaseUrl, max: 1 });
    bench.onEnd(() => pool.end());
    await fill(node, FEW, SEED);
    await drain(node);
    await fill(node, FEW, SEED + 1);
    const few = await drain(node);
    bench.note(`${messages} notifications are sent`);
    await fill(node, messages, SEED + 2);
    const restMib = mibOf(node);
    bench.note('and handled');
    const many = await drain(node);
    await rowsBecome(pool, 'events', 2 * FEW + messages, DEADLINE_MS);

    const rates = ratesOf(many);
    const tenth = Math.max(1, Math.floor(rates.length / 10));
    const [first, last] = [rates.slice(0, tenth), rates.slice(-tenth)];
    const rateOfFew = [FEW / (few.at(-1)?.at ?? Number.NaN)];
    found.group('Handled', 'messages/s', 'more', [
      { subject: `${FEW.toLocaleString('en')} that waited`, role: 'tether', rounds: rateOfFew },
      {
        subject: `${messages.toLocaleString('en')}: the first tenth of the time`,
        role: 'tether',
        rounds: first,
      },
      { subject: `${messages.toLocaleString('en')}: the last tenth`, role: 'tether', rounds: last },
    ]);
    found.group('Resident memory', 'MiB', 'less', [
      { subject: 'while all of them wait', role: 'tether', rounds: [restMib] },
      { subject: 'while they are handled', role: 'tether', rounds: many.map(({ mib }) => mib) },
    ]);
    const line = (name: string, points: readonly (readonly [number, number])[]) => ({
      series: [{ name, role: 'tether' as const, points }],
    });
    const x = { title: 's', scale: 'linear' } as const;
    found.curve({
      title: 'Handled, over the time',
      x,
      y: { title: 'messages/s', scale: 'linear' },
      ...line(
        'Tether: the whole node',
        rates.map((rate, at) => [many[at + 1]?.at ?? 0, rate]),
      ),
    });
    found.curve({
      title: 'Resident memory, over the time',
      x,
      y: { title: 'MiB', scale: 'linear' },
      ...line(
        'Tether, without Postgres',
        many.map(({ at, mib }) => [at, mib]),
      ),
    });
    found.quotient('rate, the last tenth / the first', [spread(last).median / spread(first).median], {
      atLeast: 0.8,
    });
    found.quotient('most memory while they are handled, MiB', [Math.max(...many.map(({ mib }) => mib))], {
      atMost: 400,
    });
    return found.done();
  },
};

/** Has so many more wait. */
async function fill(node: StartedNode, count: number, seed: number): Promise<void> {
  await api(node, 'POST', `${POOL}/pause`);
  const { port } = node;
  const load = await preparedBlast({ port, connections: CONNECTIONS, count, seed, deadlineMs: DEADLINE_MS });
  await load.run();
}

/** Resolves when nothing waits. */
async function drain(node: StartedNode): Promise<readonly Sample[]> {
  const before = await progressOf(node);
  const startMs = performance.now();
  const samples: Sample[] = [{ at: 0, done: 0, mib: mibOf(node) }];
  await api(node, 'POST', `${POOL}/resume`);
  for (;;) {
    const { lag, done } = await progressOf(node);
    const at = (performance.now() - startMs) / 1_000;
    samples.push({ at, done: done - before.done, mib: mibOf(node) });
    if (lag === 0) return samples;
    if (at * 1_000 > DEADLINE_MS) throw new Error(`${lag} messages still wait after ${DEADLINE_MS} ms`);
    // Shorter at first: a few are done before a second is over.
    await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_MS, 50 + at * 200)));
  }
}

function ratesOf(samples: readonly Sample[]): readonly number[] {
  return samples.slice(1).map(({ at, done }, index) => {
    const before = samples[index] as Sample;
    return (done - before.done) / (at - before.at);
  });
}

const mibOf = ({ pid }: StartedNode) => residentBytesOfTree(pid, 'postgres') / 1_048_576;
