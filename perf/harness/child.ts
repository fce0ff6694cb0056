/**
 * A program under measurement, in a process of its own. It says `ready` with a value over Node's IPC channel, and ends on
 * SIGTERM.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

export interface Child<Ready> {
  readonly pid: number;
  readonly ready: Ready;
  /** Asks it something over IPC; resolves with its next message. */
  ask(question: object, deadlineMs: number): Promise<unknown>;
  stop(): Promise<void>;
}

const START_MS_MAX = 60_000;
const STOP_MS_MAX = 30_000;

/**
 * @param module URL of the compiled module
 * @param execArgv options of Node, for it and its threads
 */
export async function startChild<Ready>(
  module: URL,
  args: readonly string[],
  execArgv: readonly string[] = [],
): Promise<Child<Ready>> {
  const child = fork(module, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [...process.execArgv, ...execArgv],
  });
  const ready = (await nextMessage(child, START_MS_MAX)) as Ready;
  if (child.pid === undefined) throw new Error(`${module.href} did not start`);
  return {
    pid: child.pid,
    ready,
    ask(question, deadlineMs) {
      child.send(question);
      return nextMessage(child, deadlineMs);
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const cutOff = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
      await exited;
      clearTimeout(cutOff);
    },
  };
}

async function nextMessage(child: ChildProcess, deadlineMs: number): Promise<unknown> {
  const over = new AbortController();
  const signal = AbortSignal.any([AbortSignal.timeout(deadlineMs), over.signal]);
  const exit = once(child, 'exit', { signal }).then(([code, name]) => {
    throw new Error(`the program under measurement ended: ${code ?? name}`);
  });
  // It is given up once there is a message.
  exit.catch(() => undefined);
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }), exit]);
    return message;
  } finally {
    over.abort();
  }
}
