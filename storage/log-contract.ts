/**
 * The contract of `MessageLog` as tests: every driver passes the same ones. Called from the driver's own test file.
 *
 * `open` opens the log of one test, again and again; what was closed is there when it is opened the next time.
 */
import type { Test } from 'tap';
import { frameItems } from '../runtime/frame.js';
import type { Frame, LogPartition, MessageLog } from '../runtime/message-log.js';
import { until } from '../runtime/testing/until.js';

/** A test of tap's, or a part of one. */
export type ContractTest = Pick<Test, 'test' | 'teardown'>;

/** Opens the log of the test `t`: empty the first time, with at least 4 partitions. */
export type OpenLog = (t: ContractTest) => Promise<MessageLog>;

/** Appends a text; its offset. */
export function appendText(partition: LogPartition, text: string, passesOn?: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    partition.append(Buffer.from(text), { appended: resolve, appendFailed: reject }, passesOn);
  });
}

/** The same until it is taken, as an actor does that waits for room. */
export function passOn(partition: LogPartition, text: string): Promise<void> {
  return until('it is passed on', () =>
    appendText(partition, text, true).then(
      () => true,
      () => false,
    ),
  );
}

export function textsOf(frames: readonly Frame[]): string[] {
  return frames.flatMap(({ body }) => [...frameItems(body)].map((item) => Buffer.from(item).toString()));
}

/** Everything from `offset` to the end, frame by frame as a reader would. */
export async function readTexts(
  partition: LogPartition,
  offset: number,
  bytesMax = 1 << 20,
): Promise<string[]> {
  const texts: string[] = [];
  let next = offset;
  while (next < partition.end) {
    const frames = await partition.read(next, bytesMax);
    const first = frames[0];
    if (first === undefined) throw new Error(`nothing to read at ${next} of ${partition.end}`);
    const found = textsOf(frames);
    texts.push(...(texts.length === 0 ? found.slice(next - first.offset) : found));
    const last = frames.at(-1) ?? first;
    if (first.offset > next || last.offset + last.count <= next) {
      throw new Error(`asked for ${next}, got ${first.offset} to ${last.offset + last.count}`);
    }
    next = last.offset + last.count;
  }
  return texts;
}

export function part(log: MessageLog, actor: string, index: number): LogPartition {
  const partition = log.open(actor)[index];
  if (partition === undefined) throw new Error(`${actor} has no partition ${index}`);
  return partition;
}

export function testMessageLog(t: ContractTest, open: OpenLog): void {
  t.test('contract: a new log is empty', async (t) => {
    const log = await open(t);
    t.equal(log.state, 'open');
    t.match(log.id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    t.equal(log.lag(), 0);
    t.strictSame(log.actors, []);
    const partitions = log.open('a');
    t.equal(partitions.length, log.partitions);
    t.equal(log.open('a')[1], partitions[1], 'the same partitions at the second call');
    t.strictSame([partitions[1]?.actor, partitions[1]?.index, partitions[1]?.end], ['a', 1, 0]);
    t.strictSame(await partitions[0]?.read(0, 1000), []);
  });

  t.test('contract: offsets are consecutive per partition, acknowledged in order', async (t) => {
    const log = await open(t);
    const order: string[] = [];
    const all = [];
    for (let i = 0; i < 20; i++) {
      const index = i % 2;
      all.push(appendText(part(log, 'a', index), `m${i}`).then((offset) => order.push(`${index}:${offset}`)));
    }
    all.push(appendText(part(log, 'b', 0), 'other').then((offset) => t.equal(offset, 0)));
    await Promise.all(all);
    for (const index of [0, 1]) {
      const wanted = Array.from({ length: 10 }, (_, i) => `${index}:${i}`);
      t.strictSame(
        order.filter((entry) => entry.startsWith(`${index}:`)),
        wanted,
      );
      t.equal(part(log, 'a', index).end, 10);
    }
    t.equal(log.lag(), 21);
    t.strictSame([...log.actors].sort(), ['a', 'b']);
    t.strictSame(await readTexts(part(log, 'a', 1), 7), ['m15', 'm17', 'm19']);
  });

  t.test(
    'contract: a message is readable when it is acknowledged and when onAppended is called',
    async (t) => {
      const log = await open(t);
      const partition = part(log, 'a', 3);
      let announced = 0;
      partition.onAppended = () => {
        announced++;
      };
      let endWhenAppended = 0;
      await new Promise<void>((resolve, reject) => {
        partition.append(Buffer.from('x'), {
          appended: (offset) => {
            endWhenAppended = partition.end;
            t.equal(offset, 0);
          },
          appendFailed: reject,
        });
        partition.append(Buffer.alloc(0), { appended: () => resolve(), appendFailed: reject });
      });
      await until('onAppended', () => announced > 0);
      t.equal(endWhenAppended >= 1, true);
      t.strictSame(await readTexts(partition, 0), ['x', '']);
    },
  );

  t.test(
    'contract: read gives what fits, at least one frame, from the frame that holds the offset',
    async (t) => {
      const log = await open(t);
      const partition = part(log, 'a', 0);
      for (let i = 0; i < 5; i++) await appendText(partition, `${i}`.repeat(100));
      const one = await partition.read(0, 1);
      t.equal(one.length, 1);
      const size = one[0]?.body.length ?? 0;
      t.equal((await partition.read(0, size * 3)).length, 3);
      t.equal((await partition.read(2, size * 100)).length, 3);
      t.strictSame(await partition.read(5, 1000), []);
    },
  );

  t.test('contract: commit lowers the lag, never goes back, and what is above stays readable', async (t) => {
    const log = await open(t);
    const partition = part(log, 'a', 0);
    await Promise.all(['a', 'b', 'c', 'd'].map((text) => appendText(partition, text)));
    partition.commit(3);
    t.equal(log.lag(), 1);
    partition.commit(2);
    t.equal(partition.committed, 3);
    t.strictSame(await readTexts(partition, 3), ['d']);
    partition.commit(4);
    t.equal(log.lag(), 0);
  });

  t.test('contract: identity, messages, offsets and commits survive closing', async (t) => {
    const first = await open(t);
    for (let i = 0; i < 6; i++) await appendText(part(first, 'a', 2), `m${i}`);
    await appendText(part(first, 'unknown-later', 1), 'left');
    part(first, 'a', 2).commit(4);
    await first.close();
    const second = await open(t);
    t.equal(second.id, first.id);
    t.strictSame([...second.actors].sort(), ['a', 'unknown-later']);
    t.equal(second.lag(), 3);
    const partition = part(second, 'a', 2);
    t.strictSame([partition.committed, partition.end], [4, 6]);
    t.strictSame(await readTexts(partition, 4), ['m4', 'm5']);
    t.equal(await appendText(partition, 'm6'), 6);
    partition.commit(7);
    await second.close();
    const third = await open(t);
    t.equal(third.id, first.id);
    t.strictSame([part(third, 'a', 2).committed, part(third, 'a', 2).end], [7, 7]);
    t.strictSame(third.actors, ['unknown-later']);
  });

  t.test('contract: close settles every append; afterwards appends fail', async (t) => {
    const log = await open(t);
    const partition = part(log, 'a', 0);
    const appends = Array.from({ length: 50 }, (_, i) => appendText(partition, `m${i}`));
    const closed = log.close();
    t.equal(log.close(), closed, 'idempotent');
    const late = appendText(partition, 'late');
    await t.rejects(late, { code: 'TETHER_LOG_CLOSED' });
    t.strictSame(
      await Promise.all(appends),
      Array.from({ length: 50 }, (_, i) => i),
    );
    await closed;
    t.equal(log.state, 'closed');
    await t.rejects(appendText(partition, 'later'), { code: 'TETHER_LOG_CLOSED' });
    const again = await open(t);
    t.equal(part(again, 'a', 0).end, 50);
  });
}

/** `openFull` opens a log that its senders have filled with messages for partition 0 of the actor `first`. */
export function testFullLog(t: ContractTest, openFull: OpenLog): void {
  t.test('contract: a full log takes what passes on, is emptied by it, and open again', async (t) => {
    const log = await openFull(t);
    const first = part(log, 'first', 0);
    const second = part(log, 'second', 0);
    t.equal(log.state, 'full');
    const texts = await readTexts(first, 0, 100_000);
    const [sample = ''] = texts;
    for (const partition of [first, second]) {
      await t.rejects(appendText(partition, sample), { code: 'TETHER_LOG_FULL' }, 'a sender is refused');
      await t.rejects(appendText(partition, sample, false), { code: 'TETHER_LOG_FULL' });
    }
    for (const [offset, text] of texts.entries()) {
      await passOn(second, text);
      first.commit(offset + 1);
    }
    t.strictSame(await readTexts(second, 0, 100_000), texts, 'nothing else, in order');
    t.equal(log.lag(), texts.length);
    second.commit(second.end);
    await until('it is open', () => log.state === 'open');
    t.equal(await appendText(first, sample), texts.length);
  });
}
