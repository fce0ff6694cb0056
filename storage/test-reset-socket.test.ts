import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { resetSocket } from './test-reset-socket.js';

/** Both ends of a connection. */
async function connection(t: Test): Promise<{ readonly client: Socket; readonly server: Socket }> {
  const listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.teardown(() => {
    listener.close();
  });
  const client = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  const [server] = (await once(listener, 'connection')) as [Socket];
  for (const socket of [client, server]) t.teardown(() => void socket.destroy());
  return { client, server };
}

/** Of a socket: the code of its error, and that it is closed. */
function fateOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let fate = 'closed';
    socket.on('error', (error: NodeJS.ErrnoException) => {
      fate = `${error.code}`;
      // Of one that no `close` follows.
      setImmediate(() => setImmediate(() => resolve(fate)));
    });
    socket.on('close', () => resolve(fate));
  });
}

t.test('the other end sees a reset', async (t) => {
  const { client, server } = await connection(t);
  const [own, others] = [fateOf(server), fateOf(client)];
  resetSocket(server);
  resetSocket(server);
  t.strictSame([await own, await others], ['closed', 'ECONNRESET']);
});

t.test('one whose end is on its way is closed', async (t) => {
  const { client, server } = await connection(t);
  const fate = fateOf(server);
  client.end('the last word');
  server.resume();
  await once(server, 'end');
  t.strictSame(
    [server.writableEnded, server.writableFinished],
    [true, false],
    'it ends as the other end has',
  );
  resetSocket(server);
  t.equal(await fate, 'closed');
});

t.test('one whose end waits for a reader that does not read is reset at once', async (t) => {
  const { client, server } = await connection(t);
  client.pause();
  const [own, others] = [fateOf(server), fateOf(client)];
  // More than the kernel takes for both ends.
  server.end(Buffer.alloc(128 * 1_048_576));
  t.ok(server.writableLength > 0);
  resetSocket(server);
  t.equal(await own, 'closed');
  client.resume();
  t.equal(await others, 'ECONNRESET');
});
