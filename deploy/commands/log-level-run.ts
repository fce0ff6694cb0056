/** What `tether log-level` does, against the API of a running node (`gateway/api/log-level.ts`). */
import { z } from 'zod';
import { ConfigError } from '../errors.js';
import type { Environment } from '../settings.js';
import { connectToNode, type NodeFlags } from './node-client.js';

const stateSchema = z.object({
  level: z.string(),
  configured: z.string(),
  until: z.number().nullable(),
});

interface LogLevelFlags extends NodeFlags {
  /** Minutes. */
  readonly for?: number;
}

/** `level`: undefined to look only. @throws ConfigError, NodeRequestError */
async function runLogLevel(
  level: string | undefined,
  flags: LogLevelFlags,
  env: Environment,
): Promise<string> {
  if (level === undefined && flags.for !== undefined) throw new ConfigError(['--for needs a level']);
  const node = await connectToNode(flags, env);
  const state =
    level === undefined
      ? await node.call('GET', '/api/log-level', stateSchema)
      : // What is undefined is left out of JSON.
        await node.call('PUT', '/api/log-level', stateSchema, { level, forMinutes: flags.for });
  if (flags.json === true) return `${JSON.stringify(state)}\n`;
  const { configured, until } = state;
  if (state.level === configured && until === null) return `${configured}, as configured\n`;
  const end = until === null ? 'until the next start' : `until ${new Date(until).toISOString()}`;
  return `${state.level} ${end}, then ${configured} as configured\n`;
}

export { type LogLevelFlags, runLogLevel };
