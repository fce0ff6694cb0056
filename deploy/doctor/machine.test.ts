/** This machine, and made-up limits of other ones. */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { startTestGateway } from '../../gateway/test/start.js';
import { readCgroup } from './cgroup.js';
import { judge } from './clocks.js';
import { machineChecks, neededGlibc } from './machine.js';
import { checkOf, find } from './test/find.js';
import { atLeast, satisfies } from './versions.js';

const check = (id: string, env: Record<string, string> = {}) => find(checkOf(machineChecks, id), env);

t.test('what this machine has is found', async (t) => {
  t.match(await check('node'), { outcome: 'ok', found: /^Node 20\..*wanted is >=/ });
  t.match(await check('glibc'), { outcome: 'ok', found: /^glibc 2\.\d+; uWebSockets\.js needs 2\.\d+$/ });
  t.match(await check('open-files'), { found: /^(\d+|unlimited)/ });
  t.match(await check('memory'), { found: /^\d+ MiB .*3 threads may/ });
  t.match(await check('memory', { TETHER_THREADS: '64', TETHER_UPLOAD_THREADS: '64' }), {
    found: /128 threads/,
  });
  t.match(await check('cores'), { found: /cores.*, 3 threads/ });
  t.match(
    await check('cores', { TETHER_THREADS: '1-6' }),
    { found: /7 threads/ },
    'as many as a pool may come to have',
  );
  t.match(await check('cores', { TETHER_THREADS: '64', TETHER_UPLOAD_THREADS: '64' }), {
    found: /128 threads/,
  });
});

t.test('the port: free, a node’s, another’s', async (t) => {
  const { gateway } = await startTestGateway(t);
  t.match(await check('port', { TETHER_PORT: `${gateway.port}` }), { outcome: 'ok', found: /running node/ });
  const other = createServer((_, res) => res.end('hello')).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  t.match(await check('port', { TETHER_PORT: `${port}` }), { outcome: 'failed', advice: /ss -ltnp/ });
  other.close();
  await once(other, 'close');
  t.match(await check('port', { TETHER_PORT: `${port}` }), { outcome: 'ok', found: /is free$/ });
  t.match(await check('port', { TETHER_PORT: `${port}`, TETHER_HOST: '0.0.0.0' }), {
    outcome: 'ok',
    found: /reached from other machines/,
  });
  t.match(await check('port', { TETHER_HOST: '192.0.2.1' }), { outcome: 'failed', found: /192\.0\.2\.1/ });
  t.match(await check('port', { TETHER_PORT: '0' }), { outcome: 'skipped' });
});

t.test('versions', async (t) => {
  t.ok(satisfies('20.15.0', '>=20.15 <21'));
  t.notOk(satisfies('20.14.9', '>=20.15 <21'));
  t.notOk(satisfies('21.0.0', '>=20.15 <21'));
  t.throws(() => satisfies('20.0.0', '^20'), RangeError);
  t.ok(atLeast('2.36', '2.4'), 'numbers, not text');
  t.notOk(atLeast('2.4', '2.36'));
  t.equal(neededGlibc('x GLIBC_2.4\0GLIBC_2.27\0GLIBC_2.9 GLIBC_PRIVATE'), '2.27');
});

t.test('a difference of clocks counts for what is sure of it', async (t) => {
  const outcomes = [
    judge('x', 400, 10),
    judge('x', -1_500, 10),
    judge('x', 1_500, 700),
    judge('x', 90_000, 10),
  ];
  t.strictSame(
    outcomes.map(({ outcome }) => outcome),
    ['ok', 'warning', 'ok', 'failed'],
  );
  t.match(judge('Redis', -1_500, 10), { found: 'this clock is 1500 ms behind Redis (±10 ms)' });
});

t.test('the limits of a cgroup, in both versions', async (t) => {
  const rootOf = async (files: Record<string, string>) => {
    const root = await mkdtemp(join(tmpdir(), 'tether-doctor-'));
    t.teardown(() => rm(root, { recursive: true, force: true }));
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), text);
    }
    return root;
  };
  t.strictSame(await readCgroup(await rootOf({})), { memoryMax: undefined, cpuMax: undefined });
  const second = {
    'proc/self/cgroup': '0::/a/b\n',
    'sys/fs/cgroup/a/b/memory.max': 'max\n',
    'sys/fs/cgroup/a/memory.max': '536870912\n',
    'sys/fs/cgroup/a/b/cpu.max': '150000 100000\n',
    'sys/fs/cgroup/a/cpu.max': 'max 100000\n',
  };
  t.strictSame(await readCgroup(await rootOf(second)), { memoryMax: 536_870_912, cpuMax: 1.5 });
  const first = {
    'proc/self/cgroup': '4:memory:/docker/x\n2:cpu,cpuacct:/docker/x\n',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '268435456\n',
    'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000\n',
    'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
  };
  t.strictSame(await readCgroup(await rootOf(first)), { memoryMax: 268_435_456, cpuMax: 0.5 });
  const none = {
    'proc/self/cgroup': '4:memory:/\n2:cpu:/\n',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
    'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
  };
  t.strictSame(await readCgroup(await rootOf(none)), { memoryMax: undefined, cpuMax: undefined });
});
