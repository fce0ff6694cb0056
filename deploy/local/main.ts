/** `npm run cluster`: starts the cluster on one machine, and stops it when it is told to. */
import { CommanderError } from 'commander';
import { TetherError } from '../../runtime/errors.js';
import { stderrLogger } from '../../runtime/logger.js';
import { censorOf } from '../censor.js';
import { ConfigError } from '../errors.js';
import { EXIT, exitCodeOf } from '../exit-codes.js';
import { untilToldToStop } from '../stop-signal.js';
import { LocalCluster } from './cluster.js';
import { guide } from './guide.js';
import { parseOptions } from './options.js';

const say = (line: string) => process.stdout.write(`cluster: ${line}\n`);

async function main(): Promise<number> {
  const cluster = new LocalCluster(parseOptions(process.argv.slice(2), process.env), process.env, say);
  const stop = untilToldToStop(stderrLogger('warn'), 'a second signal: everything ends at once');
  // Whatever ends this process ends all of it.
  process.once('exit', () => cluster.kill());
  const started = cluster.start();
  const first = await Promise.race([stop.told, started.then(() => undefined)]);
  if (first === undefined) {
    process.stdout.write(guide(cluster));
    await stop.told;
  }
  say('stops: first HAProxy, then gateways, workers and servers; a second Ctrl-C ends it at once');
  await cluster.stop();
  await started;
  say('has stopped');
  return EXIT.ok;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = complain(error);
}

function complain(error: unknown): number {
  const censor = censorOf([]);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    process.stderr.write(`cluster: ${censor(error.message.replace(/^error: /, ''))}\n`);
    process.stderr.write('cluster: see npm run cluster -- --help\n');
    return EXIT.usage;
  }
  const lines = error instanceof ConfigError ? error.problems : [messageOf(error)];
  for (const line of lines) process.stderr.write(`cluster: ${censor(line)}\n`);
  return exitCodeOf(error);
}

function messageOf(error: unknown): string {
  if (error instanceof TetherError) return `${error.message} (${error.code})`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
