import { randomBytes } from 'node:crypto';
import t from 'tap';
import { until } from '../runtime/testing/until.js';
import type { Exchange } from './exchange.js';
import { RecordingReceiver, startExchangeApp, told } from './test/exchange-app.js';
import { type RawClient, request } from './test/raw-client.js';

const MIB = 1024 * 1024;
/** More than two kernels buffer between them. */
const LARGE = 24 * MIB;

const head = (length: number, path = '/a') =>
  request({ method: 'POST', path, headers: [`Content-Length: ${length}`] });

const CHUNKED = request({ method: 'POST', path: '/a', headers: ['Transfer-Encoding: chunked'] });

/** Answers with the length of the body, however it comes. */
const echo = (exchange: Exchange, { path }: { readonly path: string }) => {
  const receiver = new RecordingReceiver();
  receiver.onEnd = () => exchange.answer(told(path, receiver.bytes));
  exchange.receive(receiver);
};

/** Resolves when the client could write nothing for a while, with how much it has written by then. */
async function standstill(client: RawClient): Promise<number> {
  let before = -1;
  let since = 0;
  await until('the client is held up', () => {
    const now = client.socket.bytesWritten - client.socket.writableLength;
    if (now !== before) since = Date.now();
    before = now;
    return Date.now() - since > 200;
  });
  return before;
}

t.test('a held body stays with the client, and comes as it was', async (t) => {
  const { exchanges, client } = await startExchangeApp(t, () => {});
  const body = randomBytes(LARGE);
  const sender = await client();
  sender.write(head(body.length));
  sender.write(body);
  await standstill(sender);
  t.ok(sender.socket.writableLength > LARGE / 2, `${sender.socket.writableLength} bytes wait in the client`);
  const receiver = new RecordingReceiver();
  exchanges[0]?.receive(receiver);
  await until('the body is there', () => receiver.ends === 1);
  t.ok(receiver.body.equals(body));
  exchanges[0]?.answer(told('/a', receiver.bytes));
  t.equal((await sender.response()).status, 200);
  t.equal(receiver.aborts, 0);
});

t.test('what came with the head is not lost', async (t) => {
  const { exchanges, client } = await startExchangeApp(t, () => {});
  const whole = await client();
  whole.write(`${head(5)}hello`);
  const parts = await client();
  parts.write(`${head(10)}hello`);
  await until('both are there', () => exchanges.length === 2);
  await new Promise((resolve) => setImmediate(resolve));
  const receivers = exchanges.map((exchange) => {
    const receiver = new RecordingReceiver();
    exchange.receive(receiver);
    return receiver;
  });
  parts.write('world');
  await until('both have ended', () => receivers.every(({ ends }) => ends === 1));
  t.strictSame(receivers.map(({ body }) => body.toString()).sort(), ['hello', 'helloworld']);
});

t.test('a receiver without room stops the client until it resumes', async (t) => {
  const receiver = new RecordingReceiver();
  receiver.room = false;
  const { exchanges, client } = await startExchangeApp(t, (exchange) => exchange.receive(receiver));
  const body = randomBytes(LARGE);
  const sender = await client();
  sender.write(head(body.length));
  sender.write(body);
  await standstill(sender);
  t.ok(receiver.bytes > 0 && receiver.bytes <= MIB, `${receiver.bytes} bytes came`);
  const before = receiver.bytes;
  exchanges[0]?.resume();
  await until('more comes', () => receiver.bytes > before);
  await standstill(sender);
  t.ok(receiver.bytes <= before + MIB, 'and it stops again');
  receiver.room = true;
  exchanges[0]?.resume();
  await until('the body is there', () => receiver.ends === 1);
  t.ok(receiver.body.equals(body));
});

t.test('a connection is good for the next request, whatever was done with the one before', async (t) => {
  let exchange: Exchange | undefined;
  const { client } = await startExchangeApp(t, (given, { path }) => {
    exchange = given;
    if (path === '/b') echo(given, { path });
  });
  const ways: Readonly<Record<string, (given: Exchange) => void>> = {
    'answered while held': (given) => given.answer(told('/a', 0)),
    'answered by its receiver, at its end': (given) => echo(given, { path: '/a' }),
    'answered when complete': (given) => {
      const receiver = new RecordingReceiver();
      given.receive(receiver);
      given.answer(told('/a', receiver.bytes));
    },
    'answered by a receiver without room': (given) => {
      const receiver = new RecordingReceiver();
      receiver.room = false;
      receiver.onEnd = () => given.answer(told('/a', 5));
      given.receive(receiver);
      given.resume();
    },
  };
  for (const [what, answer] of Object.entries(ways)) {
    const sender = await client();
    for (let round = 0; round < 3; round++) {
      exchange = undefined;
      sender.write(`${head(5)}hello`);
      await until('the request is there', () => exchange !== undefined);
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (exchange !== undefined) answer(exchange);
      const response = await sender.response();
      t.match(response, { status: 200, body: /"path":"\/a"/ }, what);
      t.equal(response.headers.connection, undefined, 'the connection stays');
      sender.write(`${head(5, '/b')}hello`);
      t.match(await sender.response(), { status: 200, body: '{"path":"/b","bytes":5}' }, `after ${what}`);
    }
  }
});

t.test('requests without a body, with an empty one, and in chunks', async (t) => {
  const { client } = await startExchangeApp(t, echo);
  const sender = await client();
  for (let round = 0; round < 2; round++) {
    sender.write(request({ path: '/get' }));
    t.match(await sender.response(), { status: 200, body: '{"path":"/get","bytes":0}' });
    sender.write(request({ method: 'HEAD', path: '/head' }));
    t.match(await sender.response({ head: true }), { status: 200, headers: { 'content-length': '26' } });
    sender.write(request({ method: 'POST', path: '/none' }));
    t.match(await sender.response(), { body: '{"path":"/none","bytes":0}' });
    sender.write(head(0, '/empty'));
    t.match(await sender.response(), { body: '{"path":"/empty","bytes":0}' });
    sender.write(`${CHUNKED}5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n`);
    t.match(await sender.response(), { body: '{"path":"/a","bytes":6}' });
    sender.write(`${CHUNKED}0\r\n\r\n`);
    t.match(await sender.response(), { body: '{"path":"/a","bytes":0}' });
  }
});

t.test('of a header that is there twice, the first counts', async (t) => {
  const { client } = await startExchangeApp(t, (exchange, { headers }) => {
    exchange.answer(told(headers.get('x-name') ?? '', Number(headers.get('content-length'))));
  });
  const sender = await client();
  const headers = ['X-Name: first', 'X-Name: second', 'Content-Length: 5', 'Content-Length: 0'];
  sender.write(`${request({ method: 'POST', path: '/a', headers })}hello`);
  t.match(await sender.response(), { body: /^{"path":"first","bytes":5}/ });
});

t.test('an answer in the handler’s own turn keeps the connection of a request without a body', async (t) => {
  const { client } = await startExchangeApp(t, (exchange, { path }) => {
    if (path === '/now') exchange.answer(told(path, 0));
    else queueMicrotask(() => exchange.answer(told(path, 0)));
  });
  const sender = await client();
  for (const path of ['/now', '/soon', '/now', '/soon']) {
    sender.write(request({ path }));
    const response = await sender.response();
    t.match(response, { status: 200 });
    t.equal(response.headers.connection, undefined, `${path} stays`);
  }
});

t.test('an answer before the end goes out whole, and the connection is closed', async (t) => {
  const ways: Readonly<Record<string, (exchange: Exchange, receiver: RecordingReceiver) => void>> = {
    'at the head': (exchange) => exchange.answer(told('/a', 0)),
    'while held': (exchange) => void setTimeout(() => exchange.answer(told('/a', 0)), 20),
    'in the callback for data': (exchange, receiver) => {
      receiver.onChunk = () => {
        receiver.onChunk = () => {};
        exchange.answer(told('/a', 0));
      };
      exchange.receive(receiver);
    },
    'without room': (exchange, receiver) => {
      receiver.room = false;
      exchange.receive(receiver);
      setTimeout(() => exchange.answer(told('/a', 0)), 20);
    },
  };
  const check = async (what: string, way: (typeof ways)[string], length: number) => {
    const receiver = new RecordingReceiver();
    const { exchanges, client } = await startExchangeApp(t, (exchange) => way(exchange, receiver));
    const sender = await client();
    sender.write(head(length));
    // The end of it never comes.
    sender.write(Buffer.alloc(length - 1, 'x'));
    t.match(await sender.response(), { status: 200, headers: { connection: 'close' } }, what);
    await sender.closed();
    t.equal(receiver.ends, 0);
    t.equal(exchanges[0]?.isAnswered, true);
    if (receiver.bytes > 0) t.equal(receiver.aborts, 1, 'its receiver is told');
    const late = new RecordingReceiver();
    if (what === 'at the head') {
      exchanges[0]?.receive(late);
      t.equal(late.aborts, 1, 'who comes late is told too');
    }
  };
  await Promise.all(
    Object.entries(ways).flatMap(([what, way]) => [check(what, way, LARGE), check(what, way, 100_000)]),
  );
});

t.test('a client that leaves is told once, in every mode', async (t) => {
  const receiver = () => new RecordingReceiver();
  const { exchanges, client } = await startExchangeApp(t, () => {});
  const begin = async (text: string) => {
    const count = exchanges.length;
    const sender = await client();
    sender.write(text);
    await until('the request is there', () => exchanges.length === count + 1);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const exchange = exchanges[count];
    if (exchange === undefined) throw new Error('no exchange');
    let left = 0;
    exchange.onAborted(() => {
      left++;
    });
    return { sender, exchange, left: () => left };
  };

  for (const way of ['destroy', 'reset'] as const) {
    const leave = (sender: RawClient) => (way === 'destroy' ? sender.destroy() : sender.reset());

    const held = await begin(`${head(1000)}few`);
    leave(held.sender);
    const late = receiver();
    held.exchange.receive(late);
    await until('held', () => held.exchange.isAborted);
    t.equal(late.aborts, 1);

    const flowing = await begin(`${head(1000)}few`);
    const between = receiver();
    flowing.exchange.receive(between);
    leave(flowing.sender);
    await until('flowing', () => flowing.exchange.isAborted);
    t.strictSame([between.aborts, between.ends, between.bytes], [1, 0, 3]);

    const complete = await begin(`${head(3)}few`);
    const whole = receiver();
    complete.exchange.receive(whole);
    leave(complete.sender);
    await until('complete', () => complete.exchange.isAborted);
    t.strictSame([whole.aborts, whole.ends], [0, 1], 'who has the whole body is not told of an abort');

    const bodyless = await begin(request({ path: '/get' }));
    leave(bodyless.sender);
    await until('without a body', () => bodyless.exchange.isAborted);

    for (const { exchange, left } of [held, flowing, complete, bodyless]) {
      t.equal(left(), 1);
      exchange.answer(told('/a', 0));
      exchange.resume();
      let again = 0;
      exchange.onAborted(() => {
        again++;
      });
      t.equal(again, 1, 'who asks later is told at once');
    }
  }
});

t.test('a request behind it in the same bytes ends the connection or waits its turn', async (t) => {
  const { client } = await startExchangeApp(t, (exchange, { path }) => {
    if (path.startsWith('/now')) echo(exchange, { path });
    else setTimeout(() => echo(exchange, { path }), 20);
  });
  const quick = await client();
  quick.write(`${head(5, '/now/1')}hello${request({ path: '/now/2' })}`);
  t.match(await quick.response(), { body: '{"path":"/now/1","bytes":5}' });
  t.match(await quick.response(), { body: '{"path":"/now/2","bytes":0}' });
  // uWebSockets.js closes the connection of a client that sends a request before the one before it is answered.
  const impatient = await client();
  impatient.write(`${head(5)}hello${request({ path: '/b' })}`);
  await impatient.closed();
  t.equal(impatient.hasMore, false);
});

t.test('readAll has the whole body, or nothing', async (t) => {
  const bodies: (Buffer | undefined)[] = [];
  const { client } = await startExchangeApp(t, (exchange) => {
    void exchange.readAll(10).then((body) => {
      bodies.push(body);
      exchange.answer(told('/a', body?.length ?? -1));
    });
  });
  for (const [length, bytes] of [
    [0, 0],
    [10, 10],
    [11, -1],
    [5_000_000, -1],
  ] as const) {
    const sender = await client();
    sender.write(head(length));
    sender.write(Buffer.alloc(length, 'x'));
    t.match(JSON.parse((await sender.response()).body), { bytes }, `${length} bytes`);
  }
  const gone = await client();
  gone.write(`${head(5)}few`);
  await gone.flush('');
  gone.destroy();
  await until('the one who left', () => bodies.length === 5);
  t.equal(bodies[4], undefined);
});
