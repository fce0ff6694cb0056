import { inspect } from 'node:util';

/**
 * The part of a structured logger that the runtime and the drivers use. `pino` satisfies it; a test passes `silentLogger`.
 * First the fields, then a constant message.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type LogLevel = keyof Logger;

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** For a program without a logger: lines for people, from `level` on. An error is its message, without a stack. */
export function stderrLogger(
  level: LogLevel,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Logger {
  const line = (of: LogLevel) => (fields: object, message: string) => {
    const told = Object.entries(fields).map(([name, value]) => ` ${name}=${textOf(value)}`);
    write(`tether ${of}: ${message}${told.join('')}\n`);
  };
  const from = LEVELS.indexOf(level);
  const logger = { ...silentLogger };
  for (const of of LEVELS.slice(from)) logger[of] = line(of);
  return logger;
}

function textOf(value: unknown): string {
  // An error of a thread has come as plain data.
  const { message } = Object(value) as { readonly message?: unknown };
  if (typeof message === 'string') return JSON.stringify(message);
  return typeof value === 'string' && /^[\w./:-]+$/.test(value)
    ? value
    : inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY });
}
