/** The command line of `npm run cluster -- ...`. */
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { parseS3Url } from '../../storage/objects/s3/url.js';
import { wholeFrom } from '../commands/options.js';
import type { Environment } from '../settings.js';

export interface ClusterOptions {
  /** Absolute. */
  readonly directory: string;
  readonly port: number;
  /** Undefined: an S3 server of its own. A secret is inside: never for a log. */
  readonly s3Url: string | undefined;
  readonly gateways: number;
  readonly workers: number;
}

const NODES_MAX = 8;
const parsePort = wholeFrom(1, 65_535);
const HELP = `
It needs Redis, HAProxy, pgBouncer and Swift, which Debian has; it says which of them are missing. Keys such as TETHER_THREADS go to
every node. Ctrl-C drains and stops it; a second one ends it at once.

Examples:
  $ npm run cluster
  $ npm run cluster -- --port 9000 --dir /tmp/cluster --workers 3
  $ npm run cluster -- --s3-url http://key:secret@127.0.0.1:9000/bucket
`;

/** @throws CommanderError */
export function parseOptions(args: readonly string[], env: Environment): ClusterOptions {
  const command = new Command('npm run cluster --')
    .description(
      'Start HAProxy, gateway and worker nodes, Redis, Postgres behind pgBouncer and an S3 server on this machine',
    )
    .option('--dir <path>', 'directory of its data (default: cluster in TETHER_DATA_DIR)')
    .option('--port <port>', 'TCP port of HAProxy (default: TETHER_PORT, or 8080)', parsePort)
    .option('--gateways <count>', 'gateway nodes', wholeFrom(1, NODES_MAX), 2)
    .option('--workers <count>', 'worker nodes', wholeFrom(1, NODES_MAX), 2)
    .option('--s3-url <url>', 'an object store, instead of one of its own (default: TETHER_S3_URL)', parseUrl)
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', HELP)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  command.parse([...args], { from: 'user' });
  const { dir, port, s3Url, gateways, workers } = command.opts<{
    dir?: string;
    port?: number;
    s3Url?: string;
    gateways: number;
    workers: number;
  }>();
  const set = (key: string) => (env[key] === '' ? undefined : env[key]);
  const fromEnvironment = set('TETHER_S3_URL');
  return {
    directory: resolve(dir ?? join(set('TETHER_DATA_DIR') ?? '.tether', 'cluster')),
    port: port ?? parsed('TETHER_PORT', set('TETHER_PORT') ?? '8080', parsePort),
    s3Url:
      s3Url ??
      (fromEnvironment === undefined ? undefined : parsed('TETHER_S3_URL', fromEnvironment, parseUrl)),
    gateways,
    workers,
  };
}

/** @throws InvalidArgumentError that names the key and not the value, which may be a secret */
function parsed<Value>(key: string, text: string, parse: (text: string) => Value): Value {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError(`${key} has a value that is refused. ${error.message}`);
  }
}

function parseUrl(text: string): string {
  if (parseS3Url(text).location === undefined) {
    throw new InvalidArgumentError(
      'Allowed is a URL of the form http://access-key:secret-key@host:port/bucket.',
    );
  }
  return text;
}
