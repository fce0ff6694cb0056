/** How long a webhook waits for its acknowledgement, at a steady rate: idle, and while files of debtors come in and are read. */
import { join } from 'node:path';
import { startChild } from '../harness/child.js';
import type { OpenLoopOrder, OpenLoopResult } from '../load/open-loop.js';
import { PASSWORD, PATH } from '../scenarios/emp.js';
import { writeFileOfRows } from './files.js';
import type { UploadNode } from './node.js';
import { put } from './transfer.js';

export interface WebhookRound {
  readonly idle: OpenLoopResult;
  readonly busy: OpenLoopResult;
  /** Uploads that were not yet read to the end when `busy` was over. */
  readonly unfinished: number;
}

export interface WebhookOptions {
  readonly rounds: number;
  readonly uploads: number;
  /** Of each file. */
  readonly rows: number;
  readonly idleSeconds: number;
  readonly busySeconds: number;
  note(text: string): void;
}

/** Notifications a second, each of them new. */
export const RATE = 200;
export const CONNECTIONS = 16;
const WARM_UP_SECONDS = 3;
const DEADLINE_MS = 600_000;

export async function measureWebhooks(
  node: UploadNode,
  directory: string,
  options: WebhookOptions,
): Promise<readonly WebhookRound[]> {
  const rounds: WebhookRound[] = [];
  for (let round = 0; round < options.rounds; round++) {
    rounds.push(await measureRound(node, directory, round, options));
    options.note(`round ${round + 1} of ${options.rounds}`);
  }
  return rounds;
}

async function measureRound(
  node: UploadNode,
  directory: string,
  round: number,
  { uploads, rows, idleSeconds, busySeconds }: WebhookOptions,
): Promise<WebhookRound> {
  const files = await Promise.all(
    Array.from({ length: uploads }, async (_, index) => {
      const file = join(directory, `webhooks-${index}.csv`);
      await writeFileOfRows(file, rows, 30 + round * uploads + index);
      return { file, name: `webhooks-${index}.csv` };
    }),
  );
  const args = [node.port, PATH, PASSWORD, CONNECTIONS, 100 + round, 0];
  const load = await startChild(new URL('../load/open-loop.js', import.meta.url), args.map(String));
  const steady = async (seconds: number) => {
    const order: OpenLoopOrder = { rate: RATE, seconds };
    const result = (await load.ask(order, (seconds + 120) * 1_000)) as OpenLoopResult;
    if (result.refused > 0) throw new Error(`${result.refused} notifications were not acknowledged`);
    return result;
  };
  try {
    await steady(WARM_UP_SECONDS);
    const idle = await steady(idleSeconds);
    const sent = put(['tether', node.url, node.token], files);
    // When the load fails first, that is the error to show.
    sent.catch(() => undefined);
    const busy = await steady(busySeconds);
    const { ids } = await sent;
    let unfinished = 0;
    for (const id of ids) {
      const { state } = await node.settled(id, ['stored', 'processing', 'completed'], DEADLINE_MS);
      if (state === 'completed') continue;
      unfinished++;
      await node.remove(id);
    }
    for (const id of ids) await node.settled(id, ['completed', 'cancelled'], DEADLINE_MS);
    return { idle, busy, unfinished };
  } finally {
    await load.stop();
  }
}
