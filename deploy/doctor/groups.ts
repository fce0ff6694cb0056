/** Every check, in the order in which they are told. */
import type { Check, Group } from './check.js';
import { clockChecks } from './clocks.js';
import { configuration, debugging, logLevel } from './configuration.js';
import { diskChecks } from './disk.js';
import { envFileChecks } from './env-file.js';
import { ibanChecks } from './ibans.js';
import { machineChecks } from './machine.js';
import { objectChecks } from './objects.js';
import { postgresChecks } from './postgres.js';
import { redisChecks } from './redis.js';
import { secretChecks } from './secrets.js';
import { certificate } from './tls.js';

const GROUPS: readonly Group[] = [
  { id: 'configuration', title: 'Configuration', checks: [configuration, logLevel, debugging] },
  {
    id: 'secrets',
    title: 'Secrets',
    checks: [...envFileChecks, ...secretChecks, ...ibanChecks, certificate],
  },
  { id: 'redis', title: 'Redis', checks: redisChecks },
  { id: 'postgres', title: 'Postgres', checks: postgresChecks },
  { id: 's3', title: 'Object store', checks: objectChecks },
  { id: 'clock', title: 'Clocks', checks: clockChecks },
  { id: 'disk', title: 'Disk', checks: diskChecks },
  { id: 'machine', title: 'Machine', checks: machineChecks },
];

interface Selection {
  /** Ids of checks or groups; undefined: all. */
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
}

/** Those of `groups` that are selected. */
function selectChecks(groups: readonly Group[], { only, skip = [] }: Selection): readonly Group[] {
  const isSelected = (group: Group, { id }: Check) => {
    const names = [id, group.id];
    const wanted = only === undefined || names.some((name) => only.includes(name));
    return wanted && !names.some((name) => skip.includes(name));
  };
  return groups.map((group) => ({
    ...group,
    checks: group.checks.filter((check) => isSelected(group, check)),
  }));
}

function idsOf(groups: readonly Group[]): readonly string[] {
  return groups.flatMap(({ id, checks }) => [id, ...checks.map((check) => check.id)]);
}

export { GROUPS, idsOf, selectChecks };
