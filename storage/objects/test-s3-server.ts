/**
 * An S3 server for tests: OpenStack Swift with its `s3api`, one node on loopback, gone with the test.
 *
 * It checks signatures as AWS does, refuses expired and changed presigned URLs, and knows multiparts; no mock does. It comes with
 * Debian, and runs as whoever runs the tests, root too. Its ports are free ones; another process may still be faster, so a
 * start that fails is tried again with others.
 *
 * Its start takes seven seconds of a core. In a run of the whole suite one serves all files, each in buckets of its own.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../../runtime/testing/until.js';
import { freePort } from '../test-free-port.js';

/** The part of tap's `t` that is used. */
export interface TestScope {
  teardown(work: () => Promise<void>): void;
}

export interface TestS3Server {
  readonly port: number;
  /** With the right keys; by another port for a proxy in front of it. */
  url(bucket: string, port?: number): string;
}

/** Of the environment: the port of the server that the suite has started. */
export const TEST_S3_PORT = 'TEST_S3_PORT';

const ACCESS_KEY = 'test:tester';
const SECRET_KEY = 'testing-secret-1';
const PROGRAMS = [
  'swift-proxy-server',
  'swift-account-server',
  'swift-container-server',
  'swift-object-server',
];
const PACKAGES = 'swift-proxy swift-account swift-container swift-object memcached';
const STARTS_MAX = 3;
const START_MS_MAX = 60_000;

/** Of the rings: where Swift looks for what. One partition server each, one replica. */
const RINGS = `
import sys
from swift.common.ring import RingBuilder
for name, port in zip(("account", "container", "object"), sys.argv[1:]):
    builder = RingBuilder(4, 1, 1)
    builder.add_dev(dict(region=1, zone=1, ip="127.0.0.1", port=int(port), replication_ip="127.0.0.1",
                         replication_port=int(port), device="d1", weight=1.0, meta=""))
    builder.rebalance()
    builder.get_ring().save(name + ".ring.gz")
`;

/** Takes about two seconds when a file runs alone: start one for a file of tests, not one for each test. */
export async function startTestS3Server(t: TestScope): Promise<TestS3Server> {
  const shared = process.env[TEST_S3_PORT];
  const port = shared === undefined ? await startOwn(t) : Number(shared);
  const own = randomBytes(4).toString('hex');
  const url = (bucket: string, by = port) =>
    `http://${encodeURIComponent(ACCESS_KEY)}:${SECRET_KEY}@127.0.0.1:${by}/${own}-${bucket}`;
  return { port, url };
}

/** @returns its port */
async function startOwn(t: TestScope): Promise<number> {
  const missing = [...PROGRAMS, 'memcached'].filter((program) => !onPath(program));
  if (missing.length > 0) {
    throw new Error(
      `the tests of S3 need ${missing.join(', ')}: apt-get install --no-install-recommends ${PACKAGES}`,
    );
  }
  for (let attempt = 1; ; attempt++) {
    const root = await mkdtemp(join(tmpdir(), 'tether-s3-'));
    const children: ChildProcess[] = [];
    const stop = async () => {
      await Promise.all(children.map(ended));
      await rm(root, { recursive: true, force: true });
    };
    try {
      const port = await start(root, children);
      t.teardown(stop);
      return port;
    } catch (error) {
      const logs = await logsOf(root);
      await stop();
      if (attempt === STARTS_MAX) throw new Error(`the S3 server did not start:\n${logs}`, { cause: error });
    }
  }
}

async function start(root: string, children: ChildProcess[]): Promise<number> {
  const proxy = await freePort();
  const account = await freePort();
  const container = await freePort();
  const object = await freePort();
  const cache = await freePort();
  for (const name of ['srv/d1', 'log']) await mkdir(join(root, name), { recursive: true });
  await promisify(execFile)('/usr/bin/python3', ['-c', RINGS, ...[account, container, object].map(String)], {
    cwd: root,
  });
  const common = `bind_ip = 127.0.0.1
user = ${userInfo().username}
swift_dir = ${root}
log_address = ${root}/no-syslog
log_level = ERROR
workers = 0`;
  const files: Record<string, string> = {
    'swift.conf': SWIFT,
    'proxy.conf': proxyConfiguration(common, proxy, cache),
    'account.conf': storageConfiguration('account', common, account, root),
    'container.conf': storageConfiguration('container', common, container, root),
    'object.conf': storageConfiguration('object', common, object, root),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text);
  const run = (name: string, command: string, args: readonly string[]) => {
    const log = openSync(join(root, 'log', name), 'w');
    // Should this process be killed, so is the server.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    child.on('error', () => {});
    children.push(child);
  };
  run('memcached', 'memcached', ['-l', '127.0.0.1', '-p', `${cache}`, '-m', '32', '-u', userInfo().username]);
  for (const name of ['account', 'container', 'object', 'proxy']) {
    run(name, `swift-${name}-server`, [join(root, `${name}.conf`)]);
  }
  const ports = [account, container, object, proxy];
  await until(
    'the S3 server answers',
    async () => {
      if (children.some((child) => child.exitCode !== null))
        throw new Error('a process of the S3 server ended');
      if ((await Promise.all(ports.map((port) => isHealthy(port ?? 0)))).every(Boolean)) return true;
      // Asking takes from what starts.
      await new Promise((resolve) => setTimeout(resolve, 50));
      return false;
    },
    START_MS_MAX,
  );
  return proxy;
}

const SWIFT = `[swift-hash]
swift_hash_path_suffix = tests
swift_hash_path_prefix = tests
[storage-policy:0]
name = Policy-0
default = yes
`;

function proxyConfiguration(common: string, port: number, cache: number): string {
  const plain = ['catch_errors', 'gatekeeper', 'healthcheck', 'listing_formats', 'bulk', 'copy', 'dlo'];
  return `[DEFAULT]
${common}
bind_port = ${port}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = us-east-1
check_bucket_owner = false
min_segment_size = 5242880
allow_multipart_uploads = true
max_upload_part_num = 10000
max_parts_listing = 3
max_multi_delete_objects = 1000
[filter:tempauth]
use = egg:swift#tempauth
user_${ACCESS_KEY.replace(':', '_')} = ${SECRET_KEY} .admin
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${cache}
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[filter:slo]
use = egg:swift#slo
max_manifest_segments = 10000
${[...plain, 'symlink'].map((name) => `[filter:${name}]\nuse = egg:swift#${name}\n`).join('')}`;
}

function storageConfiguration(name: string, common: string, port: number | undefined, root: string): string {
  return `[DEFAULT]
${common}
bind_port = ${port}
devices = ${root}/srv
mount_check = false
disable_fallocate = true
[pipeline:main]
pipeline = healthcheck ${name}-server
[filter:healthcheck]
use = egg:swift#healthcheck
[app:${name}-server]
use = egg:swift#${name}
`;
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program));
      return true;
    } catch {
      return false;
    }
  });
}

function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/healthcheck', agent: false, timeout: 2_000 });
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}

async function logsOf(root: string): Promise<string> {
  const directory = join(root, 'log');
  const names = await readdir(directory).catch(() => []);
  const texts = await Promise.all(
    names.map(async (name) => `${name}: ${(await readFile(join(directory, name), 'utf8')).slice(-2_000)}`),
  );
  return texts.join('\n');
}
