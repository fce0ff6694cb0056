import t from 'tap';
import { FRAME_ITEM_OVERHEAD, frameItems, writeFrameItem } from '../frame.js';
import type { Frame } from '../message-log.js';
import { MemoryLog } from '../testing/memory-log.js';
import { Feed } from './feed.js';

/** A frame whose items are their offsets as text. */
function frame(offset: number, count: number): Frame {
  const body = Buffer.alloc(count * (FRAME_ITEM_OVERHEAD + 4));
  let position = 0;
  for (let n = 0; n < count; n++) {
    position = writeFrameItem(body, position, Buffer.from(String(offset + n).padStart(4, '0')));
  }
  return { offset, count, body };
}

const feed = () => {
  const partition = new MemoryLog(1).open('test')[0];
  if (partition === undefined) throw new Error('no partition');
  partition.end = 1_000;
  return new Feed(partition);
};

const offsets = (slices: readonly Frame[]) =>
  slices.flatMap(({ offset, count, body }) => {
    const items = Array.from(frameItems(body), (item) => Number(Buffer.from(item)));
    t.strictSame(
      items,
      items.map((_, n) => offset + n),
      'a slice says what it holds',
    );
    t.equal(items.length, count);
    return items;
  });

t.test('a whole frame goes as it is', async (t) => {
  const it = feed();
  const whole = frame(0, 3);
  t.equal(it.take(whole, 10, 1_000)[0], whole);
  t.equal(it.next, 3);
});

t.test('part of a frame: from the next message, up to the count and the end', async (t) => {
  const it = feed();
  it.complete(0, 2);
  it.next = 2;
  t.strictSame(offsets(it.take(frame(0, 8), 3, 1_000)), [2, 3, 4]);
  t.strictSame(offsets(it.take(frame(0, 8), 100, 7)), [5, 6]);
  t.strictSame(offsets(it.take(frame(0, 8), 100, 1_000)), [7]);
  t.equal(it.next, 8);
});

t.test('what is done or given up is left out, and passed', async (t) => {
  const it = feed();
  it.next = 8;
  it.complete(2, 4);
  it.giveUp(6);
  it.rewind(true);
  t.equal(it.suspectEnd, 8);
  t.strictSame(offsets(it.take(frame(0, 8), 100, 1_000)), [0, 1, 4, 5, 7]);
  t.equal(it.firstInFlight(), 0);
  it.complete(0, 2);
  t.equal(it.firstInFlight(), 4);
  t.equal(it.partition.committed, 4);
});
