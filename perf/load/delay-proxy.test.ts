import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import t from 'tap';
import { startDelayProxy } from './delay-proxy.js';

t.test('what goes through comes later and in order, and the end behind it', async (t) => {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startDelayProxy((server.address() as AddressInfo).port);
  t.teardown(async () => {
    await proxy.close();
    server.close();
  });
  proxy.delayMs = 15;
  const client = connect(proxy.port, '127.0.0.1');
  client.setNoDelay(true);
  await once(client, 'connect');
  const startMs = performance.now();
  client.write('ping,');
  await once(client, 'data');
  t.ok(performance.now() - startMs >= 29, `twice the delay: ${(performance.now() - startMs).toFixed(1)} ms`);
  let text = '';
  client.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  for (let i = 0; i < 200; i++) {
    // A shorter delay does not overtake.
    if (i === 100) proxy.delayMs = 1;
    client.write(`${i},`);
    if (i % 10 === 0) await new Promise(setImmediate);
  }
  client.end();
  await once(client, 'close');
  t.equal(text, Array.from({ length: 200 }, (_, i) => `${i},`).join(''));
});
