import t from 'tap';
import { dispatch, turn } from '../testing/dispatch.js';
import { ReadAhead } from './read-ahead.js';

const messages = (credit: number) => ({ credit, window: 2_048 });
const BYTES = { credit: 8_388_608, window: 8_388_608 };

t.test('a read begins when the credit is enough for what reads brought lately', async (t) => {
  const reads = new ReadAhead();
  t.ok(reads.isWorth(messages(1), BYTES), 'nothing is known yet');
  t.notOk(reads.isWorth(messages(0), BYTES));
  for (let n = 0; n < 40; n++) reads.brought(300, 60_000);
  t.notOk(reads.isWorth(messages(20), BYTES));
  t.ok(reads.isWorth(messages(300), BYTES));
  reads.begin();
  t.notOk(reads.isWorth(messages(300), BYTES), 'that is spoken for');
  t.ok(reads.isWorth(messages(600), BYTES));
  t.notOk(reads.isWorth(messages(2_048), { ...BYTES, credit: 60_000 }), 'bytes are spoken for, too');
  reads.end();
  t.ok(reads.isWorth(messages(300), BYTES));
});

t.test('it never waits for more than a quarter of the window', async (t) => {
  const reads = new ReadAhead();
  for (let n = 0; n < 40; n++) reads.brought(100_000, 20_000_000);
  t.notOk(reads.isWorth(messages(511), BYTES));
  t.ok(reads.isWorth(messages(512), BYTES));
  t.ok(reads.isWorth({ credit: 1, window: 1 }, BYTES), 'a window of one, of a thread under suspicion');
});

t.test('a log that takes time is read about once, however little a thread finishes at a time', async (t) => {
  const PARTITIONS = 16;
  const EACH = 600;
  const { append, dispatcher, inbox, answer, opened } = dispatch(PARTITIONS, 1);
  for (let n = 0; n < EACH; n++) {
    // Frames of three messages: a read brings many of them.
    const frame = opened.map(({ index }) => append(index, `${n}`));
    if (n % 3 === 2) await Promise.all(frame);
  }
  let brought = 0;
  for (const partition of opened) {
    partition.promiseEvery = 1;
    const read = partition.read.bind(partition);
    partition.read = async (offset, bytesMax) => {
      const frames = await read(offset, bytesMax);
      brought += frames.reduce((sum, { count }) => sum + count, 0);
      return frames;
    };
  }
  dispatcher.attach(0);
  let answered = 0;
  while (answered < PARTITIONS * EACH) {
    await turn();
    const batch = inbox[0]?.splice(0, 20) ?? [];
    if (batch.length === 0) t.fail(`only ${answered} messages came`);
    if (batch.length === 0) return;
    answer(0, batch);
    answered += batch.length;
  }
  t.ok(brought < 2 * answered, `${brought} messages were read for ${answered}`);
});
