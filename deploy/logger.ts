/**
 * The log of a node: structured lines on stderr, none of which shows a secret.
 *
 * Three guards: fields with telling names are censored wherever they stand up to two levels deep; the finished line is
 * searched for credentials in URLs and Authorization values; and for the secrets themselves that the caller names.
 * The last two look at the text that leaves the process, so an error message or a stack is covered as well.
 */
import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';
import type { LogLevel } from './config.js';

const CENSOR = '[redacted]';
const FIELDS = [
  'password',
  'passwords',
  'secret',
  'secrets',
  'token',
  'apiToken',
  'authorization',
  'Authorization',
  'cookie',
  'databaseUrl',
  'connectionString',
  'signature',
];
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'\\]+@/gi;
const AUTHORIZATION = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]+/gi;
/** Shorter ones would censor half of the language. */
const SECRET_LENGTH_MIN = 6;

interface LoggerOptions {
  readonly level: LogLevel;
  /** Values that no line may show. */
  readonly secrets?: readonly string[];
  /** Default: stderr, synchronous, so that the last line before an exit is written too. */
  readonly stream?: DestinationStream;
}

function createLogger(options: LoggerOptions): PinoLogger {
  const censor = censorOf(options.secrets ?? []);
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err, err: pino.stdSerializers.err },
      redact: { paths: FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: CENSOR },
      hooks: { streamWrite: censor },
    },
    options.stream ?? destination({ fd: 2, sync: true }),
  );
}

/** A function that takes URL credentials, Authorization values and `secrets` out of a text. */
function censorOf(secrets: readonly string[]): (text: string) => string {
  const values = secrets.filter((secret) => secret.length >= SECRET_LENGTH_MIN);
  const forms = new Set(values.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]));
  // The longest first: a secret may be part of another.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const secret of ordered) clean = clean.replaceAll(secret, CENSOR);
    return clean.replace(URL_CREDENTIALS, `$1${CENSOR}@`).replace(AUTHORIZATION, `$1 ${CENSOR}`);
  };
}

export { censorOf, createLogger, type LoggerOptions };
