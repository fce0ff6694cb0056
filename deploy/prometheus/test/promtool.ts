/** promtool, which the tests of rules and dashboards need. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from '../../../storage/find-program.js';

/** What it prints. @throws when it is not there, or says no: with what it says */
export async function promtool(...args: readonly string[]): Promise<string> {
  const program = findProgram('promtool');
  if (program === undefined)
    throw new Error("promtool is not installed: it is in Debian's package prometheus");
  const { stdout, stderr } = await promisify(execFile)(program, args, { timeout: 50_000 });
  return stdout + stderr;
}
