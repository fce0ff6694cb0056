/** A real HAProxy with the configuration of `../haproxy/`, for a test. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../storage/find-program.js';
import { freePort } from '../../storage/test-free-port.js';
import { type HaproxyOptions, haproxyConfig } from '../haproxy/haproxy-config.js';
import { answersOk } from '../local/nodes.js';
import { Supervised } from '../local/supervised.js';
import { askTls } from './tls.js';

interface Tap {
  teardown(work: () => Promise<void>): void;
}

interface HaproxyPlace extends Pick<HaproxyOptions, 'edge' | 'check'> {
  /** Of its files; the end removes it. */
  readonly directory?: string;
}

/** Resolves with the port, when HAProxy holds one of `ports` at least for healthy. */
export async function startHaproxy(
  t: Tap,
  ports: readonly number[],
  { directory, edge, check }: HaproxyPlace = {},
): Promise<number> {
  const place = directory ?? (await mkdtemp(join(tmpdir(), 'tether-haproxy-')));
  const port = await freePort();
  const file = join(place, 'haproxy.cfg');
  const config = haproxyConfig({
    bind: `127.0.0.1:${port}`,
    gateways: ports.map((each, n) => ({ name: `gateway-${n + 1}`, address: `127.0.0.1:${each}` })),
    statsBind: `127.0.0.1:${await freePort()}`,
    drainSeconds: 2,
    ...(edge === undefined ? {} : { edge }),
    ...(check === undefined ? {} : { check }),
  });
  await writeFile(file, config);
  const haproxy = new Supervised({
    name: 'haproxy',
    command: [findProgram('haproxy') ?? 'haproxy', '-db', '-f', file],
    env: process.env,
    address: '',
    logFile: join(place, 'log'),
    pidFile: join(place, 'pid'),
    stopSignal: 'SIGUSR1',
    stopMsMax: 10_000,
    isUp: async () =>
      edge === undefined
        ? answersOk(port, '/health')
        : askTls({ port, path: '/health' }).then(
            ({ status }) => status === 200,
            () => false,
          ),
    tell: () => undefined,
  });
  t.teardown(async () => {
    await haproxy.stop();
    await rm(place, { recursive: true, force: true });
  });
  await haproxy.start();
  return port;
}
