/** Checks of this machine: Node, the C library, the limits of the process, memory and cores, and the port. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { Agent, request } from 'undici';
import { PortBusyError } from '../../gateway/errors.js';
import { reasonNotToListen } from '../../gateway/port-probe.js';
import { limitsOf } from '../../runtime/pool/pool-size.js';
import { HEAP_MIB_MAX } from '../../runtime/system-options.js';
import type { Settings } from '../settings.js';
import { readCgroup } from './cgroup.js';
import { type Check, failed, ok, skipped, warning } from './check.js';
import { isLoopback } from './loopback.js';
import { atLeast, satisfies } from './versions.js';

/** Of a thread, as it is limited: its old generation, and the young one of the pool that has the larger. */
const THREAD_HEAP_MIB = HEAP_MIB_MAX + 48;
/** Beside the heaps: code, stacks, buffers of the log. */
const OTHER_MIB = 256;
const MIB = 1024 ** 2;
/** A file or a socket each: connections of senders above all. */
const FILES_MIN = 1_024;
const FILES_GOOD = 8_192;
const ASK_MS_MAX = 2_000;

const node: Check = {
  id: 'node',
  title: 'Node is of a version that Tether runs on',
  run() {
    const wanted = enginesOf(new URL('../../../package.json', import.meta.url));
    const found = `Node ${process.versions.node}, wanted is ${wanted}`;
    return satisfies(process.versions.node, wanted)
      ? ok(found)
      : failed(found, 'install a Node of that line; the binary of uWebSockets.js is for one of them');
  },
};

function enginesOf(manifest: URL): string {
  const parsed: unknown = JSON.parse(readFileSync(manifest, 'utf8'));
  const engines: unknown =
    typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'engines') : {};
  const found: unknown = typeof engines === 'object' && engines !== null ? Reflect.get(engines, 'node') : '';
  return typeof found === 'string' ? found : '';
}

const libc: Check = {
  id: 'glibc',
  title: 'The C library is one that the binary of uWebSockets.js runs with',
  async run() {
    if (process.platform !== 'linux') return skipped(`this is ${process.platform}`);
    const directory = dirname(createRequire(import.meta.url).resolve('uWebSockets.js'));
    const name = `uws_linux_${process.arch}_${process.versions.modules}.node`;
    if (!existsSync(join(directory, name))) {
      return failed(
        `uWebSockets.js has no ${name}`,
        'use the Node and the kind of machine that Tether is made for (x64 or arm64, Node 20)',
      );
    }
    const needed = neededGlibc(await readFile(join(directory, name), 'latin1'));
    const header: unknown = Reflect.get(process.report.getReport(), 'header');
    const there: unknown =
      typeof header === 'object' && header !== null ? Reflect.get(header, 'glibcVersionRuntime') : undefined;
    if (typeof there !== 'string') {
      return failed(
        `there is no glibc (Alpine has musl); uWebSockets.js needs ${needed}`,
        'run it on Debian 12, or in an image made of it (node:20-bookworm-slim)',
      );
    }
    const found = `glibc ${there}; uWebSockets.js needs ${needed}`;
    return atLeast(there, needed) ? ok(found) : failed(found, 'go to a newer system, such as Debian 12');
  },
};

/** The newest that a symbol of the binary asks for. */
function neededGlibc(binary: string): string {
  const versions = [...binary.matchAll(/GLIBC_(\d+\.\d+)/g)].map(([, version = '0']) => version);
  return versions.reduce((newest, version) => (atLeast(newest, version) ? newest : version), '0.0');
}

const files: Check = {
  id: 'open-files',
  title: 'The process may open files and connections enough',
  async run({ settings }) {
    const limits = await readFile('/proc/self/limits', 'utf8').catch(() => undefined);
    const found = /^Max open files\s+(\S+)/m.exec(limits ?? '')?.[1];
    if (found === undefined) return skipped('the system does not tell');
    const most = found === 'unlimited' ? Number.POSITIVE_INFINITY : Number(found);
    const text = `${found}: each connection of a sender takes one`;
    const advice = 'LimitNOFILE=65536 in the unit of systemd, --ulimit nofile=65536 for a container';
    if (settings.role === 'worker') return ok(`${found}; a worker takes no senders`);
    if (most < FILES_MIN) return failed(text, advice);
    return most < FILES_GOOD ? warning(text, advice) : ok(text);
  },
};

const memory: Check = {
  id: 'memory',
  title: 'There is memory for the heaps of all threads',
  async run({ settings }) {
    const cgroup = await readCgroup();
    const total = await machineMemory();
    if (total === undefined) return skipped('the system does not tell');
    const most = Math.min(total, cgroup.memoryMax ?? Number.POSITIVE_INFINITY);
    const threads = threadsOf(settings);
    // V8 takes a share of what it sees at its start for the main thread; a node's need is far below.
    const mainMib = Math.min(getHeapStatistics().heap_size_limit / MIB, 1024);
    const wantedMib = Math.round(mainMib + threads * THREAD_HEAP_MIB + OTHER_MIB);
    const where =
      cgroup.memoryMax !== undefined && cgroup.memoryMax < total ? 'limit of the cgroup' : 'of this machine';
    const found = `${Math.round(most / MIB)} MiB (${where}); ${threads} threads may come to want ${wantedMib} MiB`;
    const advice =
      'raise the limit, or take fewer threads; what is out of memory is killed, and starts again with all its work';
    if (most / MIB < wantedMib / 2) return failed(found, advice);
    return most / MIB < wantedMib ? warning(found, advice) : ok(found);
  },
};

async function machineMemory(): Promise<number | undefined> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  const kibibytes = Number(/^MemTotal:\s+(\d+) kB/m.exec(text)?.[1]);
  return Number.isNaN(kibibytes) ? undefined : kibibytes * 1024;
}

const cores: Check = {
  id: 'cores',
  title: 'There are cores for the threads',
  async run({ settings }) {
    const { cpuMax } = await readCgroup();
    const seen = availableParallelism();
    const there = Math.min(seen, cpuMax ?? seen);
    const threads = threadsOf(settings);
    const limited = there < seen ? ` (limit of the cgroup; the machine has ${seen})` : '';
    const shown = Number.isInteger(there) ? `${there}` : there.toFixed(1);
    const found = `${shown} cores${limited}, ${threads} threads and the gateway`;
    if (there < 2) {
      return warning(
        found,
        'take 2 cores and more: else the gateway waits for the actors, and senders with it',
      );
    }
    // A thread waits for Postgres most of its time.
    return threads > there * 4
      ? warning(
          found,
          'lower TETHER_THREADS: threads that wait for a core hold connections to Postgres meanwhile',
        )
      : ok(found);
  },
};

/** At most, when pools have grown. */
function threadsOf({ role, threads, uploads }: Pick<Settings, 'role' | 'threads' | 'uploads'>): number {
  return role === 'gateway' ? 0 : limitsOf(threads).max + limitsOf(uploads.threads).max;
}

const port: Check = {
  id: 'port',
  title: 'The port is free, or a node of Tether’s has it',
  async run({ settings: { host, port, tls }, refused }) {
    if (refused.has('TETHER_PORT') || refused.has('TETHER_HOST')) return skipped('its key is refused');
    if (port === 0) return skipped('the system chooses one at the start');
    const shown = `${host}:${port}`;
    const open = (await isLoopback(host))
      ? ''
      : '; reached from other machines, as far as no firewall stands before it';
    const reason = await reasonNotToListen(host, port);
    if (reason === undefined) return ok(`${shown} is free${open}`);
    if (reason instanceof PortBusyError && (await isTether(host, port, tls !== undefined)))
      return ok(`${shown} is a running node's${open}`);
    return failed(
      reason.message,
      `see who has it (ss -ltnp 'sport = :${port}'), or choose another TETHER_PORT or TETHER_HOST`,
    );
  },
};

/** `/livez` is open to everybody. */
async function isTether(host: string, port: number, isTls: boolean): Promise<boolean> {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const origin = `${isTls ? 'https' : 'http'}://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
  try {
    const { statusCode, body } = await request(`${origin}/livez`, {
      headersTimeout: ASK_MS_MAX,
      bodyTimeout: ASK_MS_MAX,
      // Asked by its address, which its certificate does not name; nothing secret is sent.
      ...(isTls ? { dispatcher: new Agent({ connect: { rejectUnauthorized: false } }) } : {}),
    });
    return statusCode === 200 && /^\{"status":"live"\}$/.test((await body.text()).trim());
  } catch {
    return false;
  }
}

const machineChecks: readonly Check[] = [node, libc, files, memory, cores, port];

export { machineChecks, neededGlibc };
