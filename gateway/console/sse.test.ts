import fc from 'fast-check';
import t from 'tap';
import { serverEvents } from './app/sse.js';

async function read(...chunks: readonly Uint8Array[]) {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const found: string[] = [];
  for await (const { event, data } of serverEvents(stream)) found.push(`${event}=${data}`);
  return found;
}
const bytes = (text: string) => new TextEncoder().encode(text);

t.test('events, comments, several lines of data, and what is cut off', async (t) => {
  t.strictSame(
    await read(
      bytes(
        'retry: 1000\n\n: hi\nevent: status\ndata: {"a":1}\n\ndata:x\ndata: y\n\nevent: cut\ndata: off\n',
      ),
    ),
    ['status={"a":1}', 'message=x\ny'],
  );
  t.strictSame(await read(bytes('event: a\r\ndata: 1\r\n\r\n'), bytes('event: b\rdata: 2\r\r\n')), [
    'a=1',
    'b=2',
  ]);
});

t.test('however the bytes are cut, the events are the same', async (t) => {
  const whole = bytes('event: ä\ndata: ünï €\r\n\r\nevent: b\r\ndata: 2\ndata: 3\n\n');
  const expected = await read(whole);
  t.equal(expected.length, 2);
  const cuts = fc.array(fc.integer({ min: 0, max: whole.length }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(cuts, async (at) => {
      const places = [0, ...at.sort((a, b) => a - b), whole.length];
      const chunks = places.slice(1).map((end, i) => whole.subarray(places[i], end));
      t.strictSame(await read(...chunks), expected);
    }),
    { numRuns: 200 },
  );
});

t.test('an event without end is given up', async (t) => {
  await t.rejects(read(new Uint8Array(4_000_001).fill(97)), RangeError);
});
