/** A node in a process of its own, as a user starts it, and what a test does to it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { processTree } from './process-tree.js';

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));
const START_MS_MAX = 60_000;
const EXIT_MS_MAX = 60_000;
/** Each start writes two files of the journal full of zeros; a small one is enough for a test, and is turned over sooner. */
const SEGMENT_BYTES = '8MiB';

export interface NodeProcess {
  readonly pid: number;
  readonly url: string;
  /** Everything it printed so far, both streams. */
  readonly output: () => string;
  /** Resolves when it serves. Rejects when it ends before, or after a minute. */
  readonly ready: Promise<void>;
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Sends a signal to the node alone and waits for its end. */
  stop(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
  /** SIGKILLs it and everything that it started, in the order that `shuffle` gives, and waits until all are gone. */
  killTree(shuffle: (pids: number[]) => number[]): Promise<void>;
}

export interface NodeProcessOptions {
  readonly port: number;
  readonly dataDir: string;
  readonly env?: Readonly<Record<string, string>>;
}

export function startNodeProcess({ port, dataDir, env }: NodeProcessOptions): NodeProcess {
  const child = spawn(process.execPath, [CLI, 'up'], {
    env: {
      ...withoutTether(process.env),
      TETHER_PORT: `${port}`,
      TETHER_DATA_DIR: dataDir,
      TETHER_JOURNAL_SEGMENT_BYTES: SEGMENT_BYTES,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // As a shell starts it: in a process group of its own.
    detached: true,
  });
  if (child.pid === undefined) throw new Error('the node did not start');
  const { pid } = child;
  const url = `http://127.0.0.1:${port}`;
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (printed += chunk));
  const exited = exitOf(child);
  // A test that is cut off by its time limit leaves no node behind; what the node started goes with it.
  const cutOff = () => killIfAlive(pid);
  process.once('exit', cutOff);
  exited.then(() => process.off('exit', cutOff));
  const ready = untilServes(url, exited, () => printed);
  // A test that kills it while it starts does not care.
  ready.catch(() => undefined);
  return {
    pid,
    url,
    output: () => printed,
    ready,
    exited,
    async stop(signal) {
      child.kill(signal);
      return within(EXIT_MS_MAX, `the node does not end on ${signal}:\n${printed}`, exited);
    },
    async killTree(shuffle) {
      const pids = shuffle(processTree(pid));
      for (const each of pids) killIfAlive(each);
      await exited;
      await Promise.all(pids.map((each) => untilGone(each)));
    },
  };
}

async function exitOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return code ?? signal ?? 0;
}

async function untilServes(url: string, exited: Promise<unknown>, printed: () => string): Promise<void> {
  let ended: unknown;
  exited.then((code) => {
    ended = code;
  });
  const end = Date.now() + START_MS_MAX;
  while (Date.now() < end) {
    if (ended !== undefined) throw new Error(`the node ended with ${ended}:\n${printed()}`);
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`the node does not serve:\n${printed()}`);
}

async function untilGone(pid: number): Promise<void> {
  const end = Date.now() + EXIT_MS_MAX;
  while (isAlive(pid)) {
    if (Date.now() > end) throw new Error(`process ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function within<T>(ms: number, message: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function withoutTether(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TETHER_')));
}
