import { randomBytes } from 'node:crypto';
import t from 'tap';
import { until } from '../runtime/testing/until.js';
import { SmallChunks } from './small-chunks.js';
import { RecordingReceiver, startExchangeApp, told } from './test/exchange-app.js';
import { request } from './test/raw-client.js';

t.test('small chunks are gathered up to a bound, large ones are not', async (t) => {
  const small = new SmallChunks();
  t.equal(small.take().byteLength, 0, 'nothing');
  t.notOk(small.add(Buffer.alloc(4096)), 'a large one');
  let added = 0;
  while (small.add(Buffer.from([added % 251]))) added++;
  t.equal(added, 16 * 1024);
  t.equal(small.bytes, added);
  const taken = small.take();
  t.ok(taken.every((byte, index) => byte === index % 251));
  t.equal(taken.buffer.byteLength, added, 'in memory of its own');
  t.ok(small.add(Buffer.from('ab')), 'and there is room again');
  t.equal(Buffer.from(small.take()).toString(), 'ab');
});

t.test('a body in chunks of a byte comes in few pieces, in its order', async (t) => {
  const receivers: RecordingReceiver[] = [];
  const { exchanges, client } = await startExchangeApp(t, (exchange, { path }) => {
    const receiver = new RecordingReceiver();
    receivers.push(receiver);
    if (path === '/held') setImmediate(() => exchange.receive(receiver));
    else exchange.receive(receiver);
  });
  const body = randomBytes(200_000).toString('latin1');
  const wire = Buffer.from(Array.from(body, (byte) => `1\r\n${byte}\r\n`).join(''), 'latin1');
  const large = Buffer.from(`5000\r\n${'x'.repeat(0x5000)}\r\n`);
  for (const [index, path] of ['/a', '/held'].entries()) {
    const sender = await client();
    sender.write(request({ method: 'POST', path, headers: ['Transfer-Encoding: chunked'] }));
    sender.write(Buffer.concat([wire, large, Buffer.from('1\r\ny\r\n')]));
    const bytes = body.length + 0x5000 + 1;
    await until('all is handed on before the end', () => receivers[index]?.bytes === bytes);
    sender.write('0\r\n\r\n');
    await until('the end', () => receivers[index]?.ends === 1);
    const { chunks = [], body: got } = receivers[index] ?? {};
    t.equal(got?.toString('latin1'), `${body}${'x'.repeat(0x5000)}y`, path);
    t.ok(chunks.length < 1_000, `${chunks.length} pieces`);
    t.ok(
      chunks.every(({ buffer, byteLength }) => buffer.byteLength === byteLength),
      'each in memory of its own',
    );
    exchanges[index]?.answer(told(path, bytes));
    t.equal((await sender.response()).status, 200);
  }
});
