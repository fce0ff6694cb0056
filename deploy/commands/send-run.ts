/** What `tether send emp` does: sends, shows a progress bar on a terminal, and sums up. */
import { randomInt } from 'node:crypto';
import { SingleBar } from 'cli-progress';
import { type Environment, parseConfig } from '../config.js';
import { resolveReference } from '../endpoints.js';
import { ConfigError } from '../errors.js';
import type { EmpKind } from '../send/emp-story.js';
import { type SendSummary, sendEmp } from '../send/send-emp.js';
import { overridesOf } from './options.js';

interface SendFlags {
  readonly count: number;
  readonly duplicates: number;
  readonly rate: number;
  readonly url?: string;
  readonly endpoint: string;
  readonly token: string;
  readonly password: string;
  readonly seed?: number;
  readonly connections: number;
  readonly kinds: readonly EmpKind[];
  readonly deadline: number;
  readonly json?: true;
}

async function send(flags: SendFlags, env: Environment): Promise<SendSummary> {
  const { url } = parseConfig(env, overridesOf(flags.url === undefined ? {} : { url: flags.url }));
  const [token, password] = await Promise.all([
    referred('--token', flags.token, env),
    referred('--password', flags.password, env),
  ]);
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const bar = process.stderr.isTTY
    ? new SingleBar({
        stream: process.stderr,
        format: '{bar} {percentage}% | {value}/{total} | {duration_formatted} | ETA {eta_formatted}',
        hideCursor: true,
      })
    : undefined;
  bar?.start(flags.count, 0);
  try {
    return await sendEmp({
      url,
      endpoint: flags.endpoint,
      token,
      password,
      seed: flags.seed ?? randomInt(2 ** 32),
      count: flags.count,
      duplicates: flags.duplicates,
      kinds: flags.kinds,
      rate: flags.rate,
      connections: flags.connections,
      deadlineMsMax: flags.deadline * 1000,
      signal: stop.signal,
      ...(bar === undefined ? {} : { onProgress: (done: number) => bar.update(done) }),
    });
  } finally {
    bar?.stop();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

async function referred(option: string, text: string, env: Environment): Promise<string> {
  const result = await resolveReference(text, env);
  if ('problem' in result) throw new ConfigError([`${option}: ${result.problem}`]);
  return result.value;
}

function summaryText(summary: SendSummary): string {
  const { latencyMs, rejected } = summary;
  const refused = Object.entries(rejected).map(([outcome, count]) => `${count} x ${outcome}`);
  const rows = [
    ['sent', `${summary.sent} (${summary.distinct} distinct, ${summary.duplicates} repeats)`],
    ['acknowledged', String(summary.acknowledged)],
    ['not acknowledged', refused.length === 0 ? '0' : refused.join(', ')],
    ['retries', String(summary.retries)],
    ['time', `${summary.seconds} s, ${summary.perSecond} per second`],
    ['latency', `p50 ${latencyMs.p50} ms, p99 ${latencyMs.p99} ms, max ${latencyMs.max} ms`],
    ['seed', String(summary.seed)],
  ];
  return rows.map(([name = '', value = '']) => `${name.padEnd(18)}${value}\n`).join('');
}

export { type SendFlags, send, summaryText };
