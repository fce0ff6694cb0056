/**
 * A gateway with uploads in a process of its own, for tests that measure it or end it. Started by `fork` with a `GatewayProcessOptions` as its one
 * argument; says `{ port }` when it listens, and then answers each message with a `MemoryReport`.
 */
import t from 'tap';
import { silentLogger } from '../../../runtime/logger.js';
import type { ObjectStoreSettings } from '../../../storage/objects/object-store.js';
import { createPool } from '../../../storage/postgres/pool.js';
import { startTestUploads } from './start.js';

export interface GatewayProcessOptions {
  readonly postgresUrl: string;
  readonly objects: ObjectStoreSettings;
}

export interface MemoryReport {
  readonly rssBytes: number;
  /** Since the report before. */
  readonly rssBytesMax: number;
}

const SAMPLE_MS = 20;

// It ends when its parent does.
t.setTimeout(0);
const { postgresUrl, objects } = JSON.parse(process.argv[2] ?? '{}') as GatewayProcessOptions;
const pool = createPool({
  url: postgresUrl,
  connectionsMax: 4,
  applicationName: 'tether test',
  logger: silentLogger,
});
const limits = { textBytesMax: 8 * 1024 ** 3, xlsxBytesMax: 1024 ** 2 };
const { gateway } = await startTestUploads(t, { postgres: { pool }, objects, parts: { limits } });

let rssBytesMax = 0;
setInterval(() => {
  rssBytesMax = Math.max(rssBytesMax, process.memoryUsage.rss());
}, SAMPLE_MS);
process.on('message', () => {
  process.send?.({ rssBytes: process.memoryUsage.rss(), rssBytesMax } satisfies MemoryReport);
  rssBytesMax = 0;
});
process.on('disconnect', () => process.exit());
process.send?.({ port: gateway.port });
