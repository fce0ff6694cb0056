/** What servers get in `compose.yml`, in the real programs: files of HAProxy and pgBouncer that differ from those for machines, and Redis' command. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import t from 'tap';
import { parse } from 'yaml';
import { until } from '../../runtime/testing/until.js';
import { findProgram } from '../../storage/find-program.js';
import { chooseAccount } from '../../storage/postgres/embedded-account.js';
import { locatePostgresBinaries } from '../../storage/postgres/embedded-binaries.js';
import { freePort } from '../../storage/test-free-port.js';
import { haproxyConfig } from '../haproxy/haproxy-config.js';
import { IN_CONTAINERS } from '../haproxy/in-containers.js';
import { machineFile } from '../test/machine-files.js';
import { endedWith, temporary } from '../test/machine-servers.js';
import { makeCertificate } from '../test/tls.js';

t.setTimeout(30_000);

const WRITE_SECRETS = fileURLToPath(new URL('./write-secrets.js', import.meta.url));

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
  endedWith(t, child);
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

t.test('Redis starts as its service says, with the users that are made', async (t) => {
  const directory = await temporary(t);
  const secrets = join(directory, 'secrets');
  await promisify(execFile)(process.execPath, [WRITE_SECRETS, secrets]);
  const { services } = parse(await machineFile('compose.yml'), { merge: true }) as {
    readonly services: {
      readonly redis: { readonly command: readonly string[]; readonly tmpfs: readonly string[] };
    };
  };
  const { command, tmpfs } = services.redis;
  const port = await freePort();
  const [file, data, inFile] = ['redis.conf', 'data', 'tmpfs'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(data);
  // What the file names is there before the command names another.
  t.ok(tmpfs.includes('/var/lib/redis'));
  await mkdir(inFile);
  await writeFile(
    file,
    await machineFile('redis/redis.conf', {
      'port 6379\n# TLS': `port ${port}\n# TLS`,
      '/var/lib/redis': inFile,
      '/etc/redis/users.acl': join(secrets, 'users.acl'),
    }),
  );
  const here: Readonly<Record<string, string>> = {
    '/etc/redis/redis.conf': file,
    '/data': data,
    '0.0.0.0': '127.0.0.1',
  };
  const [program = '', ...args] = command.map((each) => here[each] ?? each);
  endedWith(t, spawn(findProgram(program) ?? program, args, { stdio: ['ignore', 'ignore', 'inherit'] }));
  const url = (await readFile(join(secrets, 'redis-url'), 'utf8')).replace(
    '@redis:6379',
    `@127.0.0.1:${port}`,
  );
  const client = new Redis(url);
  client.on('error', () => undefined);
  t.teardown(() => client.disconnect());
  t.equal(await client.ping(), 'PONG');
  const settings = (await client.config('GET', 'dir', 'maxmemory', 'appendonly', 'bind')) as string[];
  for (const [name, value] of Object.entries({
    dir: data,
    maxmemory: '1572864000',
    appendonly: 'yes',
    bind: '127.0.0.1',
  }))
    t.equal(settings[settings.indexOf(name) + 1], value, name);
});
