/** One run of a subject: its program as a child process with a deadline, and the line that it prints. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import type { Role } from '../harness/results.js';
import { ACTIVATIONS, type BenchmarkName, taskOf } from './parameters.js';

export type Measure = BenchmarkName | typeof ACTIVATIONS;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Subject {
  /** As in the comparisons. */
  readonly name: string;
  readonly title: string;
  readonly role: Role;
  /** Undefined when the subject has no such benchmark and need not be asked. */
  command(measure: Measure, scale: number): Command | undefined;
}

export type Outcome =
  | { readonly kind: 'rate'; readonly messagesPerSecond: number }
  | { readonly kind: 'bytes'; readonly bytesPerActivation: number }
  | { readonly kind: 'skipped' };

const STDOUT_LENGTH_MAX = 65_536;
/** From SIGTERM to SIGKILL. */
const STOP_MS_MAX = 2_000;

const LINE = z.union([
  z.object({ benchmark: z.string(), skipped: z.literal(true) }),
  z.object({ benchmark: z.string(), bytesPerActivation: z.number().positive() }),
  z.object({
    benchmark: z.string(),
    messages: z.int().positive(),
    ms: z.number().positive(),
    proof: z.array(z.number()),
  }),
]);

/** The outcome in what a program printed, of which the last line counts. Throws when the work was not done. */
export function parseOutcome(stdout: string, measure: Measure, scale: number): Outcome {
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  const line = LINE.safeParse(parseJson(last));
  if (!line.success) throw new Error(`${measure}: this is no line of the protocol: ${last}`);
  const { data } = line;
  if (data.benchmark !== measure) throw new Error(`${measure}: the line is of ${data.benchmark}`);
  if ('skipped' in data) return { kind: 'skipped' };
  if ('bytesPerActivation' in data) {
    if (measure !== ACTIVATIONS) throw new Error(`${measure}: the line is of activations`);
    return { kind: 'bytes', bytesPerActivation: data.bytesPerActivation };
  }
  if (measure === ACTIVATIONS) throw new Error(`${measure}: the line has no bytesPerActivation`);
  const task = taskOf(measure, scale);
  if (JSON.stringify(data.proof) !== JSON.stringify(task.proof))
    throw new Error(`${measure}: the proof is ${data.proof}, not ${task.proof}`);
  if (data.messages % task.messages !== 0)
    throw new Error(`${measure}: ${data.messages} messages are no whole runs of ${task.messages}`);
  return { kind: 'rate', messagesPerSecond: (data.messages / data.ms) * 1_000 };
}

export async function runSubject(
  subject: Subject,
  measure: Measure,
  scale: number,
  deadlineMs: number,
): Promise<Outcome> {
  const command = subject.command(measure, scale);
  if (command === undefined) return { kind: 'skipped' };
  return parseOutcome(await output(command, deadlineMs), measure, scale);
}

/** What a command writes to stdout; throws when it fails, says too much or is not done in time. */
export async function output({ file, args, env }: Command, deadlineMs: number): Promise<string> {
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const name = [file, ...args].join(' ');
  let stdout = '';
  let stopped: string | undefined;
  let cutOff: NodeJS.Timeout | undefined;
  const stop = (reason: string) => {
    if (stopped !== undefined) return;
    stopped = reason;
    child.kill('SIGTERM');
    cutOff = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  };
  const deadline = setTimeout(() => stop(`not done in ${deadlineMs} ms`), deadlineMs);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (stopped !== undefined) return;
    stdout += text;
    if (stdout.length > STDOUT_LENGTH_MAX) stop(`more than ${STDOUT_LENGTH_MAX} characters on stdout`);
  });
  try {
    // Rejects with the error when the program is not there.
    const [code, signal] = await once(child, 'close');
    if (stopped !== undefined) throw new Error(`${stopped}: ${name}`);
    if (code !== 0) throw new Error(`ended with ${code ?? signal}: ${name}`);
    return stdout;
  } finally {
    clearTimeout(deadline);
    clearTimeout(cutOff);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
