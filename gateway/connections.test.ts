/** Connections beyond the limit are closed at once, counted, and make room when others end; what is there goes on. */
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { until } from '../runtime/testing/until.js';
import { startTestGateway } from './test/start.js';

const MAX = 20;

t.test('one more than there may be is closed, and the others are served', async (t) => {
  const { gateway, metrics, client } = await startTestGateway(t, { connectionsMax: MAX });
  const sockets: Socket[] = [];
  let closed = 0;
  const open = () => {
    const socket = connect(gateway.port, '127.0.0.1');
    socket.on('error', () => undefined).on('close', () => closed++);
    sockets.push(socket);
  };
  t.teardown(() => sockets.forEach((socket) => void socket.destroy()));
  const served = await client();
  const isServed = async () => {
    served.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n');
    return (await served.response()).status === 200;
  };
  for (let n = 0; n < 3 * MAX; n++) open();
  await until('those that are too many are closed', async () => closed === 2 * MAX + 1);
  t.ok(await isServed());
  const text = await metrics.registry.metrics();
  t.match(text, new RegExp(`^tether_gateway_connections ${MAX}$`, 'm'));
  t.match(text, new RegExp(`^tether_gateway_connections_refused_total ${2 * MAX + 1}$`, 'm'));
  for (const socket of sockets) socket.destroy();
  const now = async () => /^tether_gateway_connections (\d+)$/m.exec(await metrics.registry.metrics())?.[1];
  await until('there is room again', async () => (await now()) === '1');
  open();
  await until('another is there', async () => (await now()) === '2');
  t.ok(await isServed());
});
