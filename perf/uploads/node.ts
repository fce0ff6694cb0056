/** A node under measurement, and what the measurements of uploads ask of it. */
import { join } from 'node:path';
import { type Child, startChild } from '../harness/child.js';
import { untilAtWork } from '../scenarios/emp.js';

export interface UploadNode {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  readonly token: string;
  readonly databaseUrl: string;
  /** When it is in one of these states. */
  settled(id: string, states: readonly string[], deadlineMs: number): Promise<UploadState>;
  /** Cancels it, or removes it when it is over. */
  remove(id: string): Promise<void>;
  stop(): Promise<void>;
}

export interface UploadState {
  readonly state: string;
  readonly counts: { readonly total: number; readonly accepted: number };
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

const POLL_MS = 200;

/** Resolves when its database is there and its actors work. */
export async function startUploadNode(
  directory: string,
  keys: Readonly<Record<string, string>>,
  execArgv: readonly string[] = [],
): Promise<UploadNode> {
  const node: Child<{ readonly port: number; readonly databaseUrl: string; readonly apiToken: string }> =
    await startChild(
      new URL('../subjects/node.js', import.meta.url),
      [join(directory, 'node'), JSON.stringify(keys)],
      execArgv,
    );
  const { port, apiToken, databaseUrl } = node.ready;
  await untilAtWork({ port, apiToken }).catch(async (error) => {
    await node.stop();
    throw error;
  });
  const url = `http://127.0.0.1:${port}`;
  const headers = { authorization: `Bearer ${apiToken}` };
  return {
    pid: node.pid,
    port,
    url,
    token: apiToken,
    databaseUrl,
    async settled(id, states, deadlineMs) {
      const endMs = performance.now() + deadlineMs;
      for (;;) {
        const answer = await fetch(`${url}/uploads/${id}`, { headers });
        const upload = (await answer.json()) as UploadState;
        if (states.includes(upload.state)) return upload;
        if (upload.state === 'failed') throw new Error(`upload ${id} failed: ${JSON.stringify(upload)}`);
        if (performance.now() > endMs)
          throw new Error(`upload ${id} is ${upload.state} after ${deadlineMs} ms`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
    async remove(id) {
      const answer = await fetch(`${url}/uploads/${id}`, { method: 'DELETE', headers });
      if (!answer.ok) throw new Error(`DELETE answered ${answer.status}`);
    },
    stop: () => node.stop(),
  };
}
