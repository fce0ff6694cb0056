import t from 'tap';
import { until } from '../runtime/testing/until.js';
import { RecordingReceiver, startExchangeApp, told } from './test/exchange-app.js';
import { request } from './test/raw-client.js';

/** uWebSockets.js ends what it takes for idle after ten seconds, and looks every four. */
const LONG_MS = 15_000;

t.jobs = 2;

const head = (length: number, path: string) =>
  request({ method: 'POST', path, headers: [`Content-Length: ${length}`] });
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

t.test('no request is cut off because it takes its time', { timeout: 40_000, buffered: true }, async (t) => {
  const { exchanges, client } = await startExchangeApp(t, (exchange, { path }) => {
    const receiver = new RecordingReceiver();
    receiver.onEnd = () =>
      void setTimeout(() => exchange.answer(told(path, receiver.bytes)), path === '/late' ? LONG_MS : 0);
    if (path === '/held') setTimeout(() => exchange.receive(receiver), LONG_MS);
    else if (path === '/held-whole') setTimeout(() => exchange.answer(told(path, 5)), LONG_MS);
    else if (path === '/paused') {
      receiver.room = false;
      exchange.receive(receiver);
      setTimeout(() => {
        receiver.room = true;
        exchange.resume();
      }, LONG_MS);
    } else exchange.receive(receiver);
  });
  const LARGE = 8 * 1024 * 1024;
  const cases: Readonly<Record<string, { length: number; first: number; drip?: boolean }>> = {
    '/held': { length: LARGE, first: LARGE },
    '/held-whole': { length: 5, first: 5 },
    '/paused': { length: LARGE, first: LARGE },
    '/late': { length: 5, first: 5 },
    '/slow': { length: LONG_MS / 100, first: 0, drip: true },
  };
  await Promise.all(
    Object.entries(cases).map(async ([path, { length, first, drip = false }]) => {
      const sender = await client();
      sender.write(head(length, path));
      sender.write(Buffer.alloc(first, 'x'));
      const startMs = Date.now();
      if (drip) {
        for (let sent = 0; sent < length; sent++) {
          sender.write('x');
          await later(100);
        }
      } else await later(LONG_MS - 500);
      t.equal(sender.socket.closed, false, `${path} is open`);
      t.match(await sender.response(), { status: 200, body: `{"path":"${path}","bytes":${length}}` }, path);
      t.ok(Date.now() - startMs >= LONG_MS - 500, path);
      sender.write(`${head(5, '/again')}hello`);
      t.match(await sender.response(), { status: 200 }, 'and goes on');
    }),
  );
  t.equal(exchanges.length, 10);
});

t.test('a client that is silent for too long is gone', { timeout: 40_000, buffered: true }, async (t) => {
  const receiver = new RecordingReceiver();
  const { exchanges, client } = await startExchangeApp(t, (exchange) => exchange.receive(receiver), {
    silenceMsMax: 4_000,
  });
  const silent = await client();
  silent.write(`${head(100, '/a')}few`);
  await until('it is cut off', () => exchanges[0]?.isAborted === true, 15_000);
  t.strictSame([receiver.aborts, receiver.ends, receiver.bytes], [1, 0, 3]);
  await silent.closed();
});
