/**
 * A NATS server with JetStream (Debian's package nats-server) on a free port, its streams in files.
 *
 * As it comes, JetStream acknowledges a message that is written but not synced, and syncs it two minutes later. `sync: 'always'` has it synced
 * before the acknowledgement. Later servers do that themselves (`sync_interval: always`). Debian's 2.9.10 has no `sync_interval`, whatever its
 * value, and refuses a file that names it; there the file system does it: ext4's attribute `S` on the directory, inherited by what is made in it,
 * makes each write return when it is on the disk, which is what `always` means. Seen with strace: one such write of the message, then the
 * acknowledgement. A file system without that attribute is an error.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { freePort } from '../../storage/test-free-port.js';

interface NatsServer {
  readonly url: string;
  readonly pid: number;
  readonly syncedBy: SyncedBy;
  stop(): Promise<void>;
}

/** Who syncs before the acknowledgement, if anybody does. */
type SyncedBy = 'nobody' | 'nats-server' | 'file system';

interface NatsOptions {
  readonly sync: 'always' | 'default';
}

const CONNECTS_MAX = 200;
const CONNECT_WAIT_MS = 50;

async function startNats(directory: string, { sync }: NatsOptions): Promise<NatsServer> {
  const store = join(directory, 'store');
  mkdirSync(store, { recursive: true });
  const port = await freePort();
  const file = join(directory, 'nats.conf');
  const syncedBy = writeConfig(file, port, store, sync);
  const child = spawn('nats-server', ['-c', file], { stdio: ['ignore', 'ignore', 'ignore'] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`nats-server does not start: it ended with ${code}; see nats-server -t -c ${file}`);
  });
  // It is of no interest once the server is up.
  ended.catch(() => undefined);
  const url = `nats://127.0.0.1:${port}`;
  const connected = connect({
    servers: url,
    waitOnFirstConnect: true,
    maxReconnectAttempts: CONNECTS_MAX,
    reconnectTimeWait: CONNECT_WAIT_MS,
  });
  connected.catch(() => undefined);
  try {
    const connection = await Promise.race([connected, ended]);
    await connection.close();
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  if (child.pid === undefined) throw new Error('nats-server has no pid');
  return {
    url,
    pid: child.pid,
    syncedBy,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function writeConfig(file: string, port: number, store: string, sync: NatsOptions['sync']): SyncedBy {
  const write = (interval: string) =>
    writeFileSync(
      file,
      `listen: "127.0.0.1:${port}"\njetstream {\n  store_dir: ${JSON.stringify(store)}\n${interval}}\n`,
    );
  if (sync === 'always') {
    write('  sync_interval: always\n');
    if (isAccepted(file)) return 'nats-server';
  }
  write('');
  if (!isAccepted(file)) throw new Error(`nats-server does not accept ${file}`);
  if (sync === 'default') return 'nobody';
  try {
    execFileSync('chattr', ['+S', store], { stdio: 'pipe' });
  } catch (cause) {
    throw new Error(
      `this nats-server has no sync_interval, and the file system of ${store} no attribute S: take a directory on ext4, or sync: 'default'`,
      { cause },
    );
  }
  return 'file system';
}

/** Whether the server can start with this file, which it then does not do. */
function isAccepted(file: string): boolean {
  const { error, status } = spawnSync('nats-server', ['-t', '-c', file], { stdio: 'ignore' });
  if (error !== undefined)
    throw new Error('nats-server does not start; it is in the Debian package nats-server', { cause: error });
  return status === 0;
}

export { type NatsServer, type SyncedBy, startNats };
