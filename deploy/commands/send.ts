/** `tether send emp`: valid, signed EMP notifications against a running node. */
import { randomInt } from 'node:crypto';
import { SingleBar } from 'cli-progress';
import { type Command, InvalidArgumentError } from 'commander';
import { type Environment, parseConfig } from '../config.js';
import { DEFAULT_ENDPOINT, PUBLISHED_SECRET, resolveReference } from '../endpoints.js';
import { ConfigError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { EMP_KINDS, type EmpKind } from '../send/emp-traffic.js';
import { type SendSummary, sendEmp } from '../send/send-emp.js';
import { overridesOf, parseRate, parseShare, wholeFrom } from './options.js';

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

const HELP = `
The count includes the duplicates: 1000 with 10% are 900 distinct messages and 100 repeats. The same seed sends the
same messages. The exit code is 1 when anything was not acknowledged.

Examples:
  $ tether send emp --count 1000 --duplicates 10% --rate 500
  $ tether send emp --count 100000 --rate max --connections 64 --json
  $ tether send emp --url https://hooks.example --endpoint emp --token T --password env:EMP_PASSWORD
`;

function addSendCommands(program: Command, env: Environment, setExitCode: (code: number) => void): void {
  program
    .command('send')
    .description('send test traffic to a running node')
    .command('emp')
    .description(
      'send signed EMP notifications: payments, chargebacks, payment pages, checks, external events',
    )
    .option('--count <number>', 'deliveries in all', wholeFrom(1, 1_000_000_000), 100)
    .option('--duplicates <share>', 'share of them that repeat an earlier one', parseShare, 0)
    .option('--rate <number>', 'deliveries per second, or max', parseRate, 500)
    .option('--url <url>', 'the node (TETHER_URL; default: TETHER_HOST and TETHER_PORT)')
    .option('--endpoint <name>', 'the endpoint', DEFAULT_ENDPOINT.name)
    .option('--token <token>', "the endpoint's token; env:NAME or file:/path", DEFAULT_ENDPOINT.token)
    .option('--password <password>', 'the API password; env:NAME or file:/path', PUBLISHED_SECRET)
    .option('--seed <number>', 'decides the messages (default: drawn)', wholeFrom(0, 2 ** 32 - 1))
    .option('--connections <number>', 'connections at most', wholeFrom(1, 4096), 16)
    .option('--kinds <list>', 'of processing,wpf,kyc,apm', parseKinds, EMP_KINDS)
    .option('--deadline <seconds>', 'how long one delivery is tried', wholeFrom(1, 86_400), 60)
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', HELP)
    .action(async (flags: SendFlags) => {
      const summary = await send(flags, env);
      process.stdout.write(flags.json === true ? `${JSON.stringify(summary)}\n` : summaryText(summary));
      setExitCode(summary.acknowledged === flags.count ? EXIT.ok : EXIT.failed);
    });
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

function parseKinds(text: string): readonly EmpKind[] {
  const kinds = text.split(',').map((name) => EMP_KINDS.find((kind) => kind === name.trim()));
  const known = kinds.filter((kind) => kind !== undefined);
  if (known.length < kinds.length) throw new InvalidArgumentError(`Allowed are ${EMP_KINDS.join(', ')}.`);
  return [...new Set(known)];
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

export { addSendCommands };
