/** What `tether send emp` does: sends, shows how far it is and what is wrong, and sums up. */
import { randomInt } from 'node:crypto';
import { isRetried } from '../send/emp-client.js';
import type { EmpKind } from '../send/emp-story.js';
import { type SendSummary, sendEmp } from '../send/send-emp.js';
import { troubleText } from '../send/trouble.js';
import { type Environment, parseSettings } from '../settings.js';
import { overridesOf } from './options.js';
import { referred } from './referred.js';
import { startSendBar } from './send-bar.js';

interface SendFlags {
  readonly count: number;
  readonly duplicates: number;
  readonly rate: number;
  readonly url?: string;
  readonly endpoint: string;
  readonly token: string;
  readonly password: string;
  readonly seed?: number;
  readonly prefix?: string;
  readonly connections: number;
  readonly kinds: readonly EmpKind[];
  readonly deadline: number;
  readonly json?: true;
}

interface SendReport {
  readonly summary: SendSummary;
  /** Why all was given up, or undefined. */
  readonly failure: string | undefined;
}

async function send(flags: SendFlags, env: Environment): Promise<SendReport> {
  const { url } = parseSettings(env, overridesOf(flags.url === undefined ? {} : { url: flags.url }));
  const [token, password] = await Promise.all([
    referred('--token', flags.token, env),
    referred('--password', flags.password, env),
  ]);
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const { host } = new URL(url);
  const bar = startSendBar(flags.count, process.stderr);
  try {
    const summary = await sendEmp({
      url,
      endpoint: flags.endpoint,
      token,
      password,
      seed: flags.seed ?? randomInt(2 ** 32),
      ...(flags.prefix === undefined ? {} : { prefix: flags.prefix }),
      count: flags.count,
      duplicates: flags.duplicates,
      kinds: flags.kinds,
      rate: flags.rate,
      connections: flags.connections,
      deadlineMsMax: flags.deadline * 1000,
      signal: stop.signal,
      onProgress: (progress) => bar.update(progress),
      onTrouble: (outcome) => bar.say(`tether: ${troubleText(outcome, host)}${again(outcome)}`),
    });
    return { summary, failure: failureOf(summary, flags.deadline, host) };
  } finally {
    bar.stop();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** A refusal is final for its message; the next one is sent all the same. */
function again(outcome: string): string {
  return isRetried(outcome) ? ', trying again' : '';
}

function failureOf({ gaveUp }: SendSummary, deadline: number, host: string): string | undefined {
  if (gaveUp === null) return undefined;
  return `nothing was acknowledged for ${deadline} s, given up: ${troubleText(gaveUp, host)}`;
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
    [
      'latency',
      latencyMs === null ? '-' : `p50 ${latencyMs.p50} ms, p99 ${latencyMs.p99} ms, max ${latencyMs.max} ms`,
    ],
    ['seed', String(summary.seed)],
  ];
  return rows.map(([name = '', value = '']) => `${name.padEnd(18)}${value}\n`).join('');
}

export { type SendFlags, type SendReport, send, summaryText };
