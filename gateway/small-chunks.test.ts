import t from 'tap';
import { SmallChunks } from './small-chunks.js';

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
