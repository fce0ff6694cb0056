/**
 * The log of a node: structured lines on stderr, none of which shows a secret or a whole IBAN.
 *
 * Three guards: fields with telling names are censored wherever they stand up to two levels deep; the finished line is
 * searched for credentials in URLs, Authorization values and IBANs; and for the secrets themselves that the caller names.
 * The last two look at the text that leaves the process, so an error message or a stack is covered as well.
 */
import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';
import { TetherError } from '../runtime/errors.js';
import { CENSOR, censorOf } from './censor.js';
import type { LogLevel } from './settings.js';

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
interface LoggerOptions {
  readonly level: LogLevel;
  /** Values that no line may show. */
  readonly secrets?: readonly string[];
  /** In place of `secrets`, where they may become more. */
  readonly censor?: (text: string) => string;
  /** Default: stderr, synchronous, so that the last line before an exit is written too. */
  readonly stream?: DestinationStream;
}

function createLogger(options: LoggerOptions): PinoLogger {
  const censor = options.censor ?? censorOf(options.secrets ?? []);
  // By the level of that moment: it changes while a node runs.
  const serializeError = (error: unknown) => errorFields(error, logger.isLevelEnabled('debug'));
  const logger: PinoLogger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: serializeError, err: serializeError },
      redact: { paths: FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: CENSOR },
      hooks: { streamWrite: censor },
    },
    options.stream ?? destination({ fd: 2, sync: true }),
  );
  return logger;
}

/** What we expect to go wrong is told by its message and code: a stack at each retry says nothing more. */
function errorFields(error: unknown, withStack: boolean): unknown {
  if (withStack || !(error instanceof TetherError)) return pino.stdSerializers.err(error as Error);
  const { name, code, message, cause } = error;
  return { type: name, code, message, ...(cause instanceof Error ? { cause: cause.message } : {}) };
}

export { createLogger, type LoggerOptions };
