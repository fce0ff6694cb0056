/** `tether golive` of the cluster on one machine, as its guide says it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

const CLI = fileURLToPath(new URL('../../cli.js', import.meta.url));

export interface Golive {
  /** Where the cluster keeps what is its own. */
  readonly directory: string;
  readonly args: readonly string[];
  /** Keys that are set otherwise than its nodes have them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Of the checklist's own clock; default: none. */
  readonly offBy?: string;
}

export interface Check {
  readonly id: string;
  readonly outcome: string;
  readonly found: string;
}

export interface Report {
  readonly code: number;
  readonly verdict: string;
  readonly checks: readonly Check[];
}

export async function golive({ directory, args, env = {}, offBy = '+0s' }: Golive): Promise<Report> {
  const settings = join(directory, 'gateway-1.env');
  const secret = (name: string) => `file:${join(directory, name)}`;
  const child = spawn(
    'faketime',
    [
      ...[
        '-f',
        offBy,
        process.execPath,
        `--env-file=${settings}`,
        CLI,
        'golive',
        '--dotenv',
        settings,
        '--json',
      ],
      ...['--endpoint-token', secret('emp-token'), '--password', secret('emp-password'), ...args],
    ],
    { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...(JSON.parse(text) as Omit<Report, 'code'>) };
}

/** It says no, and why: each of these items is `outcome`, and where a text stands with it, found that. */
export async function isRed(
  t: Test,
  asked: Golive,
  items: readonly (readonly [id: string, outcome: 'failed' | 'warning', found?: RegExp])[],
): Promise<void> {
  const { code, verdict, checks } = await golive({ ...asked, args: [...asked.args, '--strict'] });
  t.match({ code, verdict }, { code: 1, verdict: 'no-go' });
  for (const [id, outcome, found = /./] of items) {
    const check = checks.find((each) => each.id === id);
    t.match(check, { outcome, found }, `${id}: ${check?.found}`);
  }
}
