/** How long a webhook waits for its acknowledgement, at a steady rate: idle, and while ten files of a million debtors come in and are read. */
import { join } from 'node:path';
import { DEFAULT_ENDPOINT } from '../../deploy/endpoint.js';
import { startChild } from '../child.js';
import type { SteadyResult } from '../load/steady.js';
import { writeFileOfRows } from './files.js';
import type { UploadNode } from './node.js';
import { put } from './transfer.js';

export interface WebhookRound {
  readonly idle: SteadyResult;
  readonly busy: SteadyResult;
}

const RATE = 200;
const CONNECTIONS = 16;
const IDLE_SECONDS = 15;
const BUSY_SECONDS = 45;
const DEADLINE_MS = 600_000;

export async function measureWebhooks(
  node: UploadNode,
  directory: string,
  options: { readonly rounds: number; readonly uploads: number; readonly rows: number },
): Promise<readonly WebhookRound[]> {
  const path = `/webhooks/${DEFAULT_ENDPOINT.name}/${DEFAULT_ENDPOINT.token}`;
  const rounds: WebhookRound[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const files = await Promise.all(
      Array.from({ length: options.uploads }, async (_, index) => {
        const file = join(directory, `webhooks-${index}.csv`);
        await writeFileOfRows(file, options.rows, 30 + round * options.uploads + index);
        return { file, name: `webhooks-${index}.csv` };
      }),
    );
    const args = [node.port, path, DEFAULT_ENDPOINT.secrets[0] ?? '', RATE, CONNECTIONS, 100 + round].map(
      String,
    );
    const load = await startChild(new URL('../load/steady.js', import.meta.url), args);
    const steady = async (seconds: number) =>
      (await load.ask({ seconds }, (seconds + 120) * 1_000)) as SteadyResult;
    await steady(3);
    const idle = await steady(IDLE_SECONDS);
    const sent = put(['tether', node.url, node.token], files);
    const busy = await steady(BUSY_SECONDS);
    const { ids } = await sent;
    await load.stop();
    for (const id of ids) {
      const { state } = await node.settled(id, ['stored', 'processing', 'completed'], DEADLINE_MS);
      if (state !== 'completed') await node.remove(id);
    }
    for (const id of ids) await node.settled(id, ['completed', 'cancelled'], DEADLINE_MS);
    rounds.push({ idle, busy });
    process.stderr.write(`webhooks, round ${round + 1} of ${options.rounds}\n`);
  }
  return rounds;
}
