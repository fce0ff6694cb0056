import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { SseParser } from './sse.js';

const STREAM =
  'retry: 1000\n\n: a comment\n\nevent: status\ndata: {"a":1}\n\ndata: first\r\ndata:second\r\n\r\nevent: end\rdata\r\r \n\n';
const EVENTS = [
  { event: 'status', data: '{"a":1}' },
  { event: 'message', data: 'first\nsecond' },
  { event: 'end', data: '' },
];

t.test('events are the same wherever the stream is cut', async (t) => {
  const seed = testSeed(t);
  const cuts = fc.array(fc.nat(STREAM.length), { maxLength: 30 });
  fc.assert(
    fc.property(cuts, (positions) => {
      const parser = new SseParser(100);
      const ends = [...positions, STREAM.length].sort((a, b) => a - b);
      const found = ends.flatMap((end, i) => parser.read(STREAM.slice(ends[i - 1] ?? 0, end)));
      return JSON.stringify(found) === JSON.stringify(EVENTS);
    }),
    { seed, numRuns: 500 },
  );
});

t.test('an event without an end is given up, a long stream of short ones is not', async (t) => {
  const parser = new SseParser(100);
  for (let i = 0; i < 1000; i++) t.equal(parser.read('data: 0123456789\n\n').length, 1);
  t.throws(() => parser.read('x'.repeat(101)), { name: 'RangeError' });
  const lines = new SseParser(100);
  t.throws(
    () => {
      for (let i = 0; i < 1000; i++) lines.read('data: 0123456789\n');
    },
    { name: 'RangeError' },
  );
});
