import uWS from 'uWebSockets.js';
import t, { type Test } from 'tap';
import { jsonAnswer } from './answer.js';
import { Exchange, readHead } from './exchange.js';
import { RawClient, request } from './test/raw-client.js';

/** Answers each request in the handler's microtasks, before its body. */
async function startAtOnce(t: Test): Promise<number> {
  const app = uWS.App();
  app.any('/*', (res, req) => {
    const head = readHead(req);
    const exchange = new Exchange(res, head);
    Promise.resolve().then(() => exchange.answer(jsonAnswer({ path: head.path })));
  });
  const socket = await new Promise<uWS.us_listen_socket | false>((resolve) => {
    app.listen('127.0.0.1', 0, resolve);
  });
  if (socket === false) throw new Error('no port');
  t.teardown(() => app.close());
  return uWS.us_socket_local_port(socket as uWS.us_socket);
}

t.test('an answer at once keeps the connection when there is no body', async (t) => {
  const client = await RawClient.open(await startAtOnce(t));
  t.teardown(() => client.destroy());
  for (const parts of [{ method: 'GET' }, { method: 'POST', body: '' }, { method: 'DELETE' }]) {
    client.write(request(parts));
    const response = await client.response();
    t.match(response, { status: 200, body: '{"path":"/"}' }, parts.method);
    t.notOk('connection' in response.headers, 'on one connection');
  }
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n');
  t.match(
    await client.response(),
    { status: 200, headers: { connection: 'close' } },
    'a body that is missing',
  );
  await client.closed();
});
