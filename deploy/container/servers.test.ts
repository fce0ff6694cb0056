/** The files that differ in containers, in the real programs: HAProxy's and pgBouncer's. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { findProgram } from '../../storage/find-program.js';
import { chooseAccount } from '../../storage/postgres/embedded-account.js';
import { locatePostgresBinaries } from '../../storage/postgres/embedded-binaries.js';
import { freePort } from '../../storage/test-free-port.js';
import { haproxyConfig } from '../haproxy/haproxy-config.js';
import { IN_CONTAINERS } from '../haproxy/in-containers.js';
import { machineFile } from '../test/machine-files.js';
import { temporary } from '../test/machine-servers.js';
import { makeCertificate } from '../test/tls.js';

t.setTimeout(30_000);

t.test('HAProxy takes its file, and waits for gateways that have no address yet', async (t) => {
  const directory = await temporary(t);
  t.equal(await machineFile('container/haproxy.cfg'), haproxyConfig(IN_CONTAINERS));
  const { both } = await makeCertificate(directory);
  const file = join(directory, 'haproxy.cfg');
  // Names that nobody resolves, wherever the test runs.
  const changes = {
    '/run/secrets/tether.pem': both,
    'gateway-1:8080': 'gateway-1.invalid:8080',
    'gateway-2:8080': 'gateway-2.invalid:8080',
  };
  await writeFile(file, await machineFile('container/haproxy.cfg', changes));
  const { stderr } = await promisify(execFile)(findProgram('haproxy') ?? 'haproxy', ['-c', '-f', file]);
  const told = stderr.split('\n').filter((line) => /WARNING|ALERT/.test(line));
  t.equal(told.length, 4, stderr);
  t.ok(
    told.every((line) => line.includes('could not resolve address')),
    stderr,
  );
});

t.test('pgBouncer reads the file for machines, and listens where the container says', async (t) => {
  const directory = await temporary(t);
  const place = join(directory, 'pgbouncer');
  await mkdir(place, { mode: 0o700 });
  const port = await freePort();
  const machines = join(place, 'machines.ini');
  const users = join(place, 'userlist.txt');
  await writeFile(users, '"tether" "f3a1c09b7d52e846d1b7"\n', { mode: 0o600 });
  await writeFile(
    machines,
    await machineFile('pgbouncer/pgbouncer.ini', {
      'listen_port = 6432': `listen_port = ${port}`,
      '/etc/pgbouncer/userlist.txt': users,
    }),
  );
  const file = join(place, 'pgbouncer.ini');
  await writeFile(
    file,
    await machineFile('container/pgbouncer.ini', {
      '/etc/pgbouncer/machines.ini': machines,
      'listen_addr = 0.0.0.0': 'listen_addr = 127.0.0.2',
    }),
  );
  const account = await chooseAccount((await locatePostgresBinaries()).postgres, place);
  await account.own(place);
  const [command, ...args] = account.wrap([findProgram('pgbouncer') ?? 'pgbouncer', file], 'KILL');
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk) => (log += chunk));
  t.teardown(async () => {
    if (child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
  const reaches = async (host: string) => {
    const socket = connect({ host, port });
    const reached = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    return reached;
  };
  await until('it listens', () => reaches('127.0.0.2'));
  t.equal(await reaches('127.0.0.1'), false, 'what the file for machines says is overruled');
  t.match(log, /max_client_conn: 1000/, 'and what it says else stays');
  t.notMatch(log, /ERROR|FATAL|unix:/);
});
