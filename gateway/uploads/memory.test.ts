import { fork } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { startFaultProxy } from '../../storage/objects/test-fault-proxy.js';
import { startTestS3Server } from '../../storage/objects/test-s3-server.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { RawClient, request } from '../test/raw-client.js';
import { CSV } from './test/files.js';
import type { GatewayProcessOptions, MemoryReport } from './test/gateway-process.js';
import { bearer } from './test/start.js';

const MIB = 1024 * 1024;
const BYTES = 256 * MIB;
/** The bar is for a file of 5 GiB; what grows with the file would show here too. */
const BEYOND_IDLE_BYTES_MAX = 128 * MIB;

t.test(
  'a file goes through without staying in memory, however slow the store is',
  { timeout: 55_000 },
  async (t) => {
    const s3 = await startTestS3Server(t);
    const { url } = await startTestPostgres(t);
    const proxy = await startFaultProxy(t, s3.port);
    const options: GatewayProcessOptions = {
      postgresUrl: url,
      objects: { driver: 's3', url: s3.url('memory', proxy.port) },
    };
    const child = fork(new URL('./test/gateway-process.js', import.meta.url), [JSON.stringify(options)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    /** The next message that has `key`: tap in the child has messages of its own. */
    const told = async <T>(key: keyof T & string): Promise<T> => {
      for (;;) {
        const [message] = await once(child, 'message');
        if (typeof message === 'object' && message !== null && key in message) return message as T;
      }
    };
    const { port } = await told<{ readonly port: number }>('port');
    const report = () => {
      const answer = told<MemoryReport>('rssBytes');
      child.send('report');
      return answer;
    };
    const upload = async (bytes: number) => {
      const client = await RawClient.open(port);
      t.teardown(() => client.destroy());
      const headers = [bearer('acme'), 'Content-Type: text/csv', `Content-Length: ${bytes}`];
      client.write(request({ method: 'POST', path: '/uploads', headers }));
      const piece = Buffer.alloc(MIB, CSV);
      for (let sent = 0; sent < bytes; sent += piece.length)
        await client.flush(piece.subarray(0, bytes - sent));
      return client.response();
    };

    t.equal((await upload(1_000)).status, 201);
    const { rssBytes: idle } = await report();
    await proxy.set({ kind: 'slow', bytesPerSecond: 10 * MIB });
    setTimeout(() => void proxy.set({ kind: 'pass' }), 3_000);
    t.equal((await upload(BYTES)).status, 201);
    const { rssBytesMax } = await report();
    const beyond = rssBytesMax - idle;
    t.comment(`${Math.round(beyond / MIB)} MiB beyond ${Math.round(idle / MIB)} MiB`);
    t.ok(beyond < BEYOND_IDLE_BYTES_MAX, `${beyond} bytes beyond idle`);
  },
);
