/** What `tether uploads list` does, against the operations API of a running node. */
import { z } from 'zod';
import type { Environment } from '../settings.js';
import { connectToNode, type NodeFlags } from './node-client.js';
import { textTable } from './table.js';

type UploadListFlags = NodeFlags & {
  readonly state?: string;
  readonly client?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
};

const uploadSchema = z.looseObject({
  id: z.string(),
  state: z.string(),
  client: z.string(),
  filename: z.string(),
  bytes: z.number(),
  bytesExpected: z.number().nullable(),
  processedBytes: z.number(),
  counts: z.object({ total: z.number(), accepted: z.number(), invalid: z.number(), skipped: z.number() }),
  failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
  createdAt: z.string(),
});
const pageSchema = z.object({ uploads: z.array(uploadSchema), next: z.string().nullable() });
type UploadJson = z.output<typeof uploadSchema>;

async function listUploads(flags: UploadListFlags, env: Environment, columns?: number): Promise<string> {
  const client = await connectToNode(flags, env);
  const { state, client: owner, from, to, limit } = flags;
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries({ state, client: owner, from, to })) {
    if (value !== undefined) query.set(name, value);
  }
  const { uploads } = await client.call('GET', `/api/uploads?${query}`, pageSchema);
  if (flags.json === true) return `${JSON.stringify(uploads)}\n`;
  if (uploads.length === 0) return 'no uploads\n';
  const head = ['ID', 'CLIENT', 'STATE', 'DONE', 'ROWS', 'INVALID', 'SKIPPED', 'SINCE', 'FILE'];
  const rows = uploads.map((upload) => [
    upload.id,
    upload.client,
    upload.failure === null ? upload.state : `${upload.state} (${upload.failure.code})`,
    share(upload),
    ...[upload.counts.total, upload.counts.invalid, upload.counts.skipped].map(String),
    upload.createdAt,
    upload.filename,
  ]);
  return textTable(head, rows, columns);
}

/** Of the bytes: while they come in, those that are here; then those that are read. */
function share({ state, bytes, bytesExpected, processedBytes }: UploadJson): string {
  const [done, all] = state === 'receiving' ? [bytes, bytesExpected] : [processedBytes, bytes];
  return all === null || all === 0 ? '-' : `${Math.floor((100 * Math.min(done, all)) / all)}%`;
}

export { listUploads, type UploadListFlags };
