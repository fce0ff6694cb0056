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

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};
