import t from 'tap';
import { MessageIdSource } from './message-id.js';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NOW = 1_700_000_000_123;

const timeOf = (id: string) => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

t.test('an id has the form of a UUID of version 7 and holds the time', async (t) => {
  const source = new MessageIdSource();
  for (const now of [0, NOW, 2 ** 48 - 1]) {
    const id = source.next(now);
    t.match(id, UUID_V7);
    t.equal(timeOf(id), now);
  }
});

t.test('fixed randomness gives a fixed id', async (t) => {
  const source = new MessageIdSource((bytes) => bytes.fill(0xff));
  t.equal(source.next(NOW), '018bcfe5-687b-7000-bfff-ffffffffffff');
  t.equal(source.next(NOW), '018bcfe5-687b-7001-bfff-ffffffffffff');
});

t.test('ids increase and never repeat', async (t) => {
  const source = new MessageIdSource();
  let before = '';
  let wrong = 0;
  for (let i = 0; i < 50_000; i++) {
    // 50 milliseconds, with a clock that now and then goes back by one second
    const id = source.next(NOW + Math.floor(i / 1000) - (i % 97 === 0 ? 1000 : 0));
    if (id <= before || !UUID_V7.test(id)) wrong++;
    before = id;
  }
  t.equal(wrong, 0);
});

t.test('more ids than a millisecond holds borrow from the next one', async (t) => {
  const source = new MessageIdSource();
  const ids = Array.from({ length: 10_000 }, () => source.next(NOW));
  t.equal(new Set(ids).size, ids.length);
  t.same([...ids].sort(), ids);
  t.equal(timeOf(ids.at(-1) ?? ''), NOW + 2);
});

t.test('two sources do not meet', async (t) => {
  const a = new MessageIdSource();
  const b = new MessageIdSource();
  const ids = new Set<string>();
  for (let ms = 0; ms < 500; ms++) ids.add(a.next(NOW + ms)).add(b.next(NOW + ms));
  t.equal(ids.size, 1000);
});
