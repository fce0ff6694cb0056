import t from 'tap';
import { FRAME_ITEM_OVERHEAD, frameItems, writeFrameItem } from './frame.js';

t.test('items come back in order, empty ones too', async (t) => {
  const items = ['first', '', 'third'].map((text) => Buffer.from(text));
  const body = Buffer.alloc(items.reduce((sum, item) => sum + item.length + FRAME_ITEM_OVERHEAD, 0));
  let position = 0;
  for (const item of items) position = writeFrameItem(body, position, item);
  t.equal(position, body.length);
  t.strictSame(
    Array.from(frameItems(body), (item) => Buffer.from(item).toString()),
    ['first', '', 'third'],
  );
  t.strictSame([...frameItems(Buffer.alloc(0))], []);
});

t.test('a length that runs over the end is a mistake, not a short item', async (t) => {
  const body = Buffer.alloc(FRAME_ITEM_OVERHEAD + 3);
  body.writeUInt32LE(4, 0);
  t.throws(() => [...frameItems(body)], RangeError);
});
