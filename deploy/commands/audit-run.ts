/** What `tether audit` does, against the operations API of a running node (`gateway/api/audit.ts`). */
import { z } from 'zod';
import type { Environment } from '../settings.js';
import { connectToNode, type NodeFlags } from './node-client.js';
import { textTable } from './table.js';

interface AuditFlags extends NodeFlags {
  readonly client?: string;
  readonly action?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
}

const listSchema = z.object({
  entries: z.array(
    z.object({
      id: z.number(),
      at: z.number(),
      client: z.string(),
      action: z.string(),
      target: z.string(),
      before: z.unknown(),
      after: z.unknown(),
    }),
  ),
});

/** `columns`: the width of the terminal, if it is one. */
async function listAudit(flags: AuditFlags, env: Environment, columns?: number): Promise<string> {
  const node = await connectToNode(flags, env);
  const { client, action, from, to, limit } = flags;
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries({ client, action, from, to })) {
    if (value !== undefined) query.set(name, value);
  }
  const { entries } = await node.call('GET', `/api/audit?${query}`, listSchema);
  if (flags.json === true) return `${JSON.stringify(entries)}\n`;
  if (entries.length === 0) return 'no changes\n';
  const head = ['AT', 'CLIENT', 'ACTION', 'TARGET', 'CHANGE'];
  const rows = entries.map(({ at, client, action, target, before, after }) => {
    return [new Date(at).toISOString(), client, action, target, changeText(before, after)];
  });
  return textTable(head, rows, columns);
}

/** Of two objects, what is not the same in both: `max 2 -> 4`. */
function changeText(before: unknown, after: unknown): string {
  const [old, now] = [recordOf(before), recordOf(after)];
  if (old === undefined || now === undefined) {
    return [before, after].map((value) => (value === null ? '-' : JSON.stringify(value))).join(' -> ');
  }
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  const changes = names
    .map((name) => [name, JSON.stringify(old[name]) ?? '-', JSON.stringify(now[name]) ?? '-'] as const)
    .filter(([, before, after]) => before !== after);
  return changes.map(([name, before, after]) => `${name} ${before} -> ${after}`).join(', ') || 'as it was';
}

function recordOf(value: unknown): Record<string, unknown> | undefined {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Record<string, unknown>) : undefined;
}

export { type AuditFlags, listAudit };
