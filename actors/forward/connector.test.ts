/** Where a connection really goes, with real sockets: names that lie, change, or mix. */
import { createServer } from 'node:net';
import t from 'tap';
import { parseNetwork } from './addresses.js';
import type { Resolved } from './connector.js';
import { Client, type Ended } from './request.js';
import { sign } from './signature.js';
import { openReceiver } from './test/receiver.js';

const LOOPBACK = [parseNetwork('127.0.0.1/32')].filter((each) => each !== undefined);
const SECRETS = [Buffer.alloc(32, 7)];
const V4 = (address: string): Resolved => ({ address, family: 4 });

const receiver = await openReceiver(t);

async function post(
  url: string,
  answers: readonly (readonly Resolved[])[],
  networks = LOOPBACK,
): Promise<{ ended: Ended; lookups: number }> {
  let lookups = 0;
  const client = new Client({
    url,
    timeoutMs: 2_000,
    connections: 1,
    networks,
    ca: undefined,
    resolve: async () => answers[Math.min(lookups++, answers.length - 1)] ?? [],
  });
  const body = Buffer.from('{}');
  const ended = await client.post(
    { ...sign('msg_1', Date.now(), body, SECRETS) },
    body,
    new AbortController().signal,
  );
  await client.close();
  return { ended, lookups };
}

const REFUSED: Ended = { is: 'unreachable', reason: 'TETHER_FORWARD_ADDRESS' };
const named = (name: string) => `http://${name}:${receiver.port}/`;

t.test('a name at an allowed address is reached, by one lookup', async (t) => {
  const { ended, lookups } = await post(named('hooks.example'), [[V4('127.0.0.1')]]);
  t.match(ended, { is: 'answered', status: 204 });
  t.equal(lookups, 1);
});

t.test('a name that is somewhere else at the next lookup is dialled where it was checked', async (t) => {
  // Allowed at the first lookup, another machine at the second: whoever checks first and lets the socket look up again meets that.
  const { ended, lookups } = await post(named('rebinds.example'), [[V4('127.0.0.1')], [V4('127.0.0.2')]]);
  t.match(ended, { is: 'answered', status: 204 });
  t.equal(lookups, 1);
  const { ended: next } = await post(named('rebinds.example'), [[V4('127.0.0.2')]]);
  t.strictSame(next, REFUSED, 'and a new connection is checked anew');
});

t.test('one that is private, or partly, gets no connection at all', async (t) => {
  const before = receiver.received.length;
  let connections = 0;
  const trap = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
  t.teardown(() => trap.close());
  const { port } = trap.address() as { port: number };
  for (const addresses of [
    [V4('127.0.0.1')],
    [V4('8.8.8.8'), V4('127.0.0.1')],
    [{ address: '::ffff:127.0.0.1', family: 6 }],
    [{ address: '::1', family: 6 }],
    [],
  ]) {
    const { ended } = await post(`http://internal.example:${port}/`, [addresses], []);
    t.strictSame(ended, REFUSED, JSON.stringify(addresses));
  }
  for (const host of [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '127.1',
    '[::1]',
    '[::ffff:7f00:1]',
    '169.254.169.254',
  ]) {
    const { ended, lookups } = await post(`http://${host}:${port}/`, [[V4('8.8.8.8')]], []);
    t.strictSame(ended, REFUSED, host);
    t.equal(lookups, 0, 'nothing is looked up for an address');
  }
  t.equal(connections, 0);
  t.equal(receiver.received.length, before);
});

t.test('a proxy that the environment names is not used', async (t) => {
  let connections = 0;
  const proxy = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => proxy.close());
  const { port } = proxy.address() as { port: number };
  for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']) {
    process.env[name] = `http://127.0.0.1:${port}`;
    t.teardown(() => delete process.env[name]);
  }
  const { ended } = await post(named('hooks.example'), [[V4('127.0.0.1')]]);
  t.match(ended, { is: 'answered', status: 204 });
  t.equal(connections, 0);
});
