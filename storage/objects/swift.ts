/**
 * An S3 server for one machine: OpenStack Swift with its `s3api`, one node on loopback, for the cluster on one machine and for tests.
 *
 * It checks signatures as AWS does, refuses expired and changed presigned URLs, and knows multiparts; no mock does. It comes with Debian, and
 * runs as whoever starts it, root too. It is five programs: a cache, the keepers of accounts, containers and objects, and the proxy that speaks
 * S3. What was stored is found again by the next start on the same directory, whatever its ports.
 */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../find-program.js';

export interface SwiftPorts {
  readonly proxy: number;
  readonly account: number;
  readonly container: number;
  readonly object: number;
  readonly cache: number;
}

export interface SwiftProgram {
  readonly name: keyof SwiftPorts;
  readonly port: number;
  /** What to run. It stays in the foreground, and writes what goes wrong to stderr. */
  readonly command: readonly [string, ...string[]];
  isUp(): Promise<boolean>;
}

export interface Swift {
  /** In the order in which they are to be started; the proxy is the last. */
  readonly programs: readonly SwiftProgram[];
  /** With the right keys; by another port for a proxy in front of it. */
  url(bucket: string, port?: number): string;
}

export interface SwiftOptions {
  /** Is there. */
  readonly directory: string;
  /** Of 127.0.0.1. */
  readonly ports: SwiftPorts;
  /** Letters, digits and `-`. */
  readonly secretKey: string;
}

export const SWIFT_PROGRAMS: readonly string[] = [
  'swift-proxy-server',
  'swift-account-server',
  'swift-container-server',
  'swift-object-server',
  'memcached',
];
/** Of Debian. */
export const SWIFT_PACKAGES = 'swift-proxy swift-account swift-container swift-object memcached';
const ACCESS_KEY = 'test:tester';
const HEALTH_MS_MAX = 2_000;

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

/** Writes its files. Every program of `SWIFT_PROGRAMS` is there. */
export async function prepareSwift({ directory, ports, secretKey }: SwiftOptions): Promise<Swift> {
  await mkdir(join(directory, 'srv/d1'), { recursive: true });
  const keepers = ['account', 'container', 'object'] as const;
  // Debian's own Python has the libraries.
  await promisify(execFile)('/usr/bin/python3', ['-c', RINGS, ...keepers.map((name) => `${ports[name]}`)], {
    cwd: directory,
  });
  const user = userInfo().username;
  const common = `bind_ip = 127.0.0.1
user = ${user}
swift_dir = ${directory}
log_address = ${directory}/no-syslog
log_level = ERROR
workers = 0`;
  const write = (name: string, text: string) => writeFile(join(directory, name), text, { mode: 0o600 });
  await write('swift.conf', SWIFT);
  await write('proxy.conf', proxyConfiguration(common, ports, secretKey));
  for (const name of keepers) {
    await write(`${name}.conf`, keeperConfiguration(name, common, ports[name], directory));
  }
  const program = (name: keyof SwiftPorts, command: string, args: readonly string[]): SwiftProgram => ({
    name,
    port: ports[name],
    command: [findProgram(command) ?? command, ...args],
    // The cache speaks no HTTP; without it the proxy works, only slower.
    isUp: () => (name === 'cache' ? Promise.resolve(true) : isHealthy(ports[name])),
  });
  return {
    programs: [
      program('cache', 'memcached', ['-l', '127.0.0.1', '-p', `${ports.cache}`, '-m', '32', '-u', user]),
      ...[...keepers, 'proxy' as const].map((name) =>
        program(name, `swift-${name}-server`, [join(directory, `${name}.conf`)]),
      ),
    ],
    url: (bucket, port = ports.proxy) =>
      `http://${encodeURIComponent(ACCESS_KEY)}:${secretKey}@127.0.0.1:${port}/${bucket}`,
  };
}

const SWIFT = `[swift-hash]
swift_hash_path_suffix = tether
swift_hash_path_prefix = tether
[storage-policy:0]
name = Policy-0
default = yes
`;

function proxyConfiguration(common: string, { proxy, cache }: SwiftPorts, secretKey: string): string {
  const plain = ['catch_errors', 'gatekeeper', 'healthcheck', 'listing_formats', 'bulk', 'copy', 'dlo'];
  return `[DEFAULT]
${common}
bind_port = ${proxy}
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
user_${ACCESS_KEY.replace(':', '_')} = ${secretKey} .admin
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

function keeperConfiguration(name: string, common: string, port: number, directory: string): string {
  return `[DEFAULT]
${common}
bind_port = ${port}
devices = ${directory}/srv
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

function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path: '/healthcheck', agent: false, timeout: HEALTH_MS_MAX };
    const request = http.get(options);
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
