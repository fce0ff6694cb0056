import t from 'tap';
import { formatTraceparent, isTraceparent, parseTraceparent } from './traceparent.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

t.test('what is read is written again, sampled or not', async (t) => {
  for (const [flags, traceFlags] of [
    ['00', 0],
    ['01', 1],
    ['03', 3],
    ['ff', 255],
  ] as const) {
    const text = `00-${TRACE}-${SPAN}-${flags}`;
    t.strictSame(parseTraceparent(text), { traceId: TRACE, spanId: SPAN, traceFlags });
    t.equal(formatTraceparent({ traceId: TRACE, spanId: SPAN, traceFlags }), text);
  }
});

t.test('what is malformed is none', async (t) => {
  for (const text of [
    '',
    'nonsense',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
  ]) {
    t.notOk(isTraceparent(text), text);
    t.equal(parseTraceparent(text), undefined, text);
  }
  t.equal(formatTraceparent({ traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 }), '');
});
