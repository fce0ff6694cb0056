/** What the cgroup of this process may take, in either version of cgroups. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface CgroupLimits {
  /** Bytes; undefined: no limit is seen. */
  readonly memoryMax: number | undefined;
  /** Cores, also parts of one. */
  readonly cpuMax: number | undefined;
}

/** Version 1 says "no limit" by a number that no machine has. */
const NO_LIMIT = 2 ** 60;

/** @param root where the system shows cgroups and processes */
async function readCgroup(root = '/'): Promise<CgroupLimits> {
  const own = await textOf(join(root, 'proc/self/cgroup'));
  const lines = (own ?? '').split('\n').map((line) => line.split(':'));
  const at = (controller: string) =>
    lines
      .find(([, names = '']) => names.split(',').includes(controller))
      ?.slice(2)
      .join(':');
  const unified =
    lines
      .find(([id, names]) => id === '0' && names === '')
      ?.slice(2)
      .join(':') ?? '/';
  /** Each level above limits too; inside of a container the path may not be there, and its root is ours. */
  const smallest = async (
    base: string,
    path: string,
    read: (directory: string) => Promise<number | undefined>,
  ) => {
    const parts = path.split('/').filter((part) => part !== '' && part !== '..');
    const levels = Array.from({ length: parts.length + 1 }, (_, depth) =>
      join(base, ...parts.slice(0, depth)),
    );
    const found = (await Promise.all(levels.map(read))).filter((limit) => limit !== undefined);
    return found.length === 0 ? undefined : Math.min(...found);
  };
  const cgroups = join(root, 'sys/fs/cgroup');
  const memory = await Promise.all([
    smallest(cgroups, unified, (directory) => bytesOf(join(directory, 'memory.max'))),
    smallest(join(cgroups, 'memory'), at('memory') ?? '/', (directory) =>
      bytesOf(join(directory, 'memory.limit_in_bytes')),
    ),
  ]);
  const cpu = await Promise.all([
    smallest(cgroups, unified, async (directory) => {
      const [quota, period] = ((await textOf(join(directory, 'cpu.max'))) ?? '').split(' ');
      return share(quota, period);
    }),
    smallest(join(cgroups, 'cpu'), at('cpu') ?? '/', async (directory) =>
      share(
        await textOf(join(directory, 'cpu.cfs_quota_us')),
        await textOf(join(directory, 'cpu.cfs_period_us')),
      ),
    ),
  ]);
  return {
    memoryMax: memory.find((limit) => limit !== undefined),
    cpuMax: cpu.find((limit) => limit !== undefined),
  };
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

async function bytesOf(path: string): Promise<number | undefined> {
  const bytes = Number.parseInt((await textOf(path)) ?? '', 10);
  return Number.isNaN(bytes) || bytes >= NO_LIMIT ? undefined : bytes;
}

/** `max` and -1 are no limit. */
function share(quota: string | undefined, period: string | undefined): number | undefined {
  const cores = Number.parseInt(quota ?? '', 10) / Number.parseInt(period ?? '', 10);
  return cores > 0 ? cores : undefined;
}

export { type CgroupLimits, readCgroup };
