/**
 * Reads the log of the embedded Postgres: forwards each line at a level that fits, and remembers the last ones for the
 * error of a server that does not start or that ends.
 *
 * The server writes no statements and no errors of single queries (`log_min_messages=log`): those go to the client that
 * asked, and could hold data of people.
 */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Logger } from '../../runtime/logger.js';

const LINES_MAX = 30;
const LINE_CHARS_MAX = 1_000;

export interface PostgresLog {
  /** The last lines, oldest first. */
  lastLines(): readonly string[];
}

/** @param onReady called once, when the server accepts connections */
export function followLog(stream: Readable, logger: Logger, onReady: () => void): PostgresLog {
  const lines: string[] = [];
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (whole) => {
    const line = whole.slice(0, LINE_CHARS_MAX);
    lines.push(line);
    if (lines.length > LINES_MAX) lines.shift();
    logger[level(line)]({ line }, 'embedded Postgres');
    if (line.includes('database system is ready to accept connections')) onReady();
  });
  return { lastLines: () => [...lines] };
}

function level(line: string): 'debug' | 'info' | 'warn' | 'error' {
  if (line.includes('PANIC:')) return 'error';
  // Each server process that a stop ends says so: nothing to worry about at every Ctrl-C.
  if (line.includes('due to administrator command')) return 'debug';
  // FATAL is the end of one connection; of the server only while it starts, and then the start's error carries it.
  if (/FATAL:|WARNING:|ERROR:/.test(line)) return 'warn';
  if (/was terminated by signal|terminating any other active|was not properly shut down/.test(line))
    return 'warn';
  return 'debug';
}
