/**
 * Whether uploads slow webhooks down: notifications at a steady rate, idle, and while ten files of a million debtors come in and are read.
 *
 * `UPLOADS_SCALE` (default 1) multiplies the rows: 0.01 for a short try, whose figures say nothing.
 */
import { Findings } from '../harness/findings.js';
import { percentileMs } from '../harness/latencies.js';
import type { Scenario } from '../harness/scenario.js';
import { spread } from '../harness/table.js';
import type { OpenLoopResult } from '../load/open-loop.js';
import { startUploadNode } from '../uploads/node.js';
import { uploadSizes } from '../uploads/sizes.js';
import { CONNECTIONS, measureWebhooks, RATE, type WebhookRound } from '../uploads/webhooks.js';

const UPLOADS = 10;
const IDLE_SECONDS = 15;
const BUSY_SECONDS = 45;
/** Of the 99th percentile, busy to idle. */
const BAR = 3;
/** From which on the generator itself shows in the latencies. */
const LATE_MS_MAX = 2;

export const mixed: Scenario = {
  name: 'mixed',
  title: 'Webhooks while ten large files come in',
  needs: [],
  minutes: 6,
  isUsual: true,
  async run(bench) {
    const { rounds = 3, seconds, directory } = bench;
    const idleSeconds = seconds ?? IDLE_SECONDS;
    const busySeconds = seconds ?? BUSY_SECONDS;
    const { rows } = uploadSizes();
    const found = new Findings([
      `${rounds} rounds. In each ${RATE} new notifications a second over ${CONNECTIONS} connections, for ${idleSeconds} s while nothing else happens, then for ${busySeconds} s from the moment at which ${UPLOADS} files of ${rows.toLocaleString('en')} debtors begin to be sent all at once, which are read as soon as they are there.`,
      'Open loop: a latency counts from the moment at which its request was due. Every notification must be acknowledged, else the run ends.',
      'The node is in its embedded default, with files in a folder; everything shares the cores, Postgres and the load too.',
    ]);
    const node = await startUploadNode(directory, {}, bench.nodeOptions('the whole node'));
    bench.onEnd(() => node.stop());
    await bench.pinning.subject(node.pid);
    const options = { rounds, uploads: UPLOADS, rows, idleSeconds, busySeconds, note: bench.note };
    tell(found, await measureWebhooks(node, directory, options));
    return found.done();
  },
};

function tell(found: Findings, rounds: readonly WebhookRound[]): void {
  const states = [
    { name: 'idle', runs: rounds.map(({ idle }) => idle) },
    { name: 'ten uploads', runs: rounds.map(({ busy }) => busy) },
  ] as const;
  const runs = (read: (run: OpenLoopResult) => number) =>
    states.map((state) => ({ subject: state.name, role: 'tether' as const, rounds: state.runs.map(read) }));
  const p99 = ({ latency }: OpenLoopResult) => percentileMs(latency, 99);
  found.group(
    'Median answer',
    'ms',
    'less',
    runs(({ latency }) => percentileMs(latency, 50)),
  );
  found.group('99th percentile of answers', 'ms', 'less', runs(p99));
  found.latencies(
    `Answers at ${RATE} notifications a second`,
    states.map((state) => ({
      subject: state.name,
      role: 'tether',
      rounds: state.runs.map(({ latency }) => latency),
    })),
  );
  const [idle, busy] = states;
  found.ratio('99th percentile, ten uploads / idle', busy.runs.map(p99), idle.runs.map(p99), { atMost: BAR });
  for (const state of states) {
    const late = spread(state.runs.map(({ lateness }) => percentileMs(lateness, 99))).median;
    if (late > LATE_MS_MAX)
      found.warn(
        `${state.name}: one request in a hundred was sent more than ${late.toFixed(1)} ms late by the generator itself, and its latency has that in it`,
      );
  }
  if (rounds.some(({ unfinished }) => unfinished === 0))
    found.warn(
      'all files were read before the measurement beside them was over: some of its answers had nothing beside them',
    );
}
