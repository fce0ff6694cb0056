import t from 'tap';
import type { Entry } from '../kernel/entry.js';
import { DurableMessage } from '../kernel/letter.js';
import { testKernel } from '../kernel/test-kernel.js';
import { rangesOf } from './host.js';

const { codec } = testKernel();

const entry = (partition: number, offset: number): Entry => ({
  partition,
  offset,
  bytes: 10,
  message: new DurableMessage(
    { id: '', key: '', dedupe: '', receivedAt: 0, traceparent: '', payload: Buffer.alloc(0) },
    codec,
  ),
});

t.test('neighbours are joined, gaps and other partitions are not', async (t) => {
  const entries = [entry(3, 5), entry(3, 6), entry(3, 8), entry(4, 9), entry(3, 10)];
  t.strictSame(rangesOf(entries), { ranges: [3, 5, 7, 3, 8, 9, 4, 9, 10, 3, 10, 11], count: 5, bytes: 50 });
  t.strictSame(rangesOf([]), { ranges: [], count: 0, bytes: 0 });
});
