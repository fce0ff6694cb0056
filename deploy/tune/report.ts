/** What `tether tune` tells: the steps as a table, the finding, the recommendations, what a trial came to, and what is to be done to keep it. */
import { textTable } from '../commands/table.js';
import { count, ms, perSecond, share } from '../status/words.js';
import type { Bottleneck } from './find-bottleneck.js';
import type { Step } from './measurements.js';
import type { Recommendation } from './recommend.js';
import type { Trial } from './trial.js';

const HEAD = [
  'ASKED',
  'ACKNOWLEDGED',
  'P50',
  'P95',
  'P99',
  'DONE',
  'WAITING',
  'MACHINE',
  'SENDER',
  'GATEWAY',
  'POOL',
  'COMMIT P99',
  'POSTGRES P99',
  'ENDED',
];

function stepRow({ load, node, verdict }: Step): readonly string[] {
  const time = (value: number | null | undefined) => (typeof value === 'number' ? ms(value) : '-');
  const busy = (value: number | null | undefined) => (typeof value === 'number' ? share(value) : '-');
  const { latencyMs, rate, acknowledged, seconds } = load;
  const pool = node?.pool;
  const done = pool?.donePerSecond;
  return [
    perSecond(rate),
    perSecond(acknowledged / seconds),
    time(latencyMs?.p50),
    time(latencyMs?.p95),
    time(latencyMs?.p99),
    typeof done === 'number' ? perSecond(done) : '-',
    pool ? count(pool.lag) : '-',
    busy(load.machineBusy),
    busy(load.busy),
    busy(node?.gatewayBusy),
    busy(pool?.busy),
    time(node?.commitMs?.p99),
    time(node?.dependencies.find(({ name }) => name === 'postgres')?.callMs?.p99),
    verdict,
  ];
}

function stepsText(steps: readonly Step[]): string {
  return steps.length === 0 ? 'no step was measured\n' : textTable(HEAD, steps.map(stepRow));
}

/** On stderr, while it goes on. */
function stepLine({ load, node, verdict }: Step): string {
  const { rate, acknowledged, seconds, latencyMs } = load;
  const done = node?.pool?.donePerSecond;
  const parts = [
    `${perSecond(rate)} asked`,
    `${perSecond(acknowledged / seconds)} acknowledged`,
    ...(latencyMs === null ? [] : [`p99 ${ms(latencyMs.p99)}`]),
    ...(typeof done === 'number' ? [`${perSecond(done)} done`] : []),
  ];
  return `${parts.join(', ')}: ${verdict}`;
}

function findingText({ sentence, advice, recommendations }: Bottleneck): string {
  const lines = [sentence, advice];
  if (recommendations.length === 0)
    return `${lines.join('\n')}\nNo other setting of a pool is recommended.\n`;
  const each = recommendations.map(
    ({ actor, setting, from, to, because }) => `  ${actor}  ${setting} ${from} -> ${to}, since ${because}`,
  );
  return `${[...lines, 'Recommended:', ...each].join('\n')}\n`;
}

function trialText({ rounds, gain, spread, better, holds }: Trial): string {
  const of = (kind: 'former' | 'new') =>
    rounds.filter((round) => round.kind === kind).map(({ donePerSecond }) => perSecond(donePerSecond));
  const change = `${gain >= 0 ? '+' : '-'}${share(Math.abs(gain))}`;
  const end = {
    new: 'kept: better by more than the rounds differ',
    former: better
      ? 'the former settings hold'
      : 'not better by more than the rounds differ: the former settings hold',
    others: 'somebody else set the pool meanwhile: it is left as it is',
  }[holds];
  return [
    `Tried in turn: ${of('former').join(', ')} as it was; ${of('new').join(', ')} as recommended`,
    `${change}, rounds of one kind differ by up to ${share(spread)}; ${end}`,
    '',
  ].join('\n');
}

/** What has to stand in the configuration for the settings to hold without what was saved. `least`: of the threads that hold. */
function keepText(recommendations: readonly Recommendation[], least: number): string {
  const [first] = recommendations;
  if (first === undefined) return '';
  const { actor } = first;
  const to = (setting: Recommendation['setting']) =>
    recommendations.find((each) => each.setting === setting)?.to;
  const [min = least, max, batchMax] = [to('min'), to('max'), to('batchMax')];
  const [key, of] =
    actor === 'upload'
      ? ['TETHER_UPLOAD_THREADS', 'the upload pool']
      : ['TETHER_THREADS', 'every pool but that of uploads'];
  const lines = [
    ...(max === undefined ? [] : [`${key}=${min === max ? max : `${min}-${max}`}   # of ${of}`]),
    ...(batchMax === undefined ? [] : [`batchMax: ${batchMax}   # in the definition of ${actor}`]),
  ];
  return `To have it in the configuration instead of what is saved (then \`tether pools reset ${actor}\`):\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

export { findingText, keepText, stepLine, stepsText, trialText };
