/** A pool over the operators' API, for `trial.ts` and for what is written. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { poolSettings } from '../../gateway/api/status-schema.js';
import type { NodeClient } from '../commands/node-client.js';
import type { Allowed } from './measurements.js';
import type { TriedPool } from './trial.js';

const range = z.object({ min: z.number(), max: z.number() });
const poolSchema = z.looseObject({
  threads: z.number(),
  resizing: z.boolean(),
  settings: z.object({ current: poolSettings, differs: z.boolean() }),
  allowed: z.object({ min: range, max: range, batchMax: range, lingerMs: range, inFlightMax: range }),
});

/** A thread starts within a second or two; a pool that grows by itself takes longer. */
const SETTLE_MS_MAX = 15_000;
const LOOK_MS = 200;

/** @param pause between looks at a pool that is not settled; rejects when it is told to stop */
function nodePool(
  client: NodeClient,
  actor: string,
  signal: AbortSignal,
): TriedPool & { allowed(): Promise<Allowed> } {
  const path = `/api/pools/${encodeURIComponent(actor)}`;
  const get = () => client.call('GET', path, poolSchema);
  return {
    async read() {
      const { settings } = await get();
      return { settings: settings.current, differs: settings.differs };
    },
    async set(change) {
      await client.call('PUT', path, poolSchema, change);
    },
    async reset() {
      await client.call('DELETE', `${path}/settings`, poolSchema);
    },
    async settled() {
      for (let waitedMs = 0; waitedMs < SETTLE_MS_MAX; waitedMs += LOOK_MS) {
        const { threads, resizing, settings } = await get();
        const { min, max } = settings.current;
        if (!resizing && threads >= min && threads <= max) return;
        await sleep(LOOK_MS, undefined, { signal });
      }
    },
    allowed: async () => (await get()).allowed,
  };
}

export { nodePool };
