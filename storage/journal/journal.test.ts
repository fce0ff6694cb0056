import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { appendText, type ContractTest, part, readTexts, testMessageLog } from '../log-contract.js';
import { openJournal } from './open.js';
import {
  FaultyFileSystem,
  KIB,
  openSmall,
  restoreSnapshot,
  smallOptions,
  snapshotOf,
  temporaryDirectory,
  untilPrepared,
} from './testing.js';

const directories = new WeakMap<ContractTest, string>();
function directoryOf(t: ContractTest): string {
  const directory = directories.get(t) ?? temporaryDirectory(t);
  directories.set(t, directory);
  return directory;
}

testMessageLog(t, (t) => openSmall(t, directoryOf(t)));
testMessageLog(t, (t) => openSmall(t, directoryOf(t), { memoryTailBytesMax: 0, blockCacheBytesMax: 0 }));
testMessageLog(t, (t) => openSmall(t, directoryOf(t), { durability: 'memory' }));
testMessageLog(t, (t) =>
  openSmall(t, directoryOf(t), { syncPolicy: { inlineUsMax: 0, probeMsMin: 60_000, probeMsMax: 60_000 } }),
);

/** Appends until the journal has so many segments. */
async function fillSegments(
  journal: Awaited<ReturnType<typeof openJournal>>,
  segments: number,
): Promise<string[]> {
  const texts: string[] = [];
  while (journal.stats().segments < segments) {
    const text = `${texts.length}-`.padEnd(1_500, 'x');
    await appendText(part(journal, 'a', texts.length % 4), text);
    texts.push(text);
  }
  return texts;
}

t.test('segments go once they are committed, and offsets go on', async (t) => {
  const directory = temporaryDirectory(t);
  let journal = await openSmall(t, directory);
  const texts = await fillSegments(journal, 5);
  t.strictSame(
    await readTexts(part(journal, 'a', 1), 0),
    texts.filter((_, i) => i % 4 === 1),
  );
  const ends = journal.open('a').map(({ end }) => end);
  for (const partition of journal.open('a')) partition.commit(partition.end);
  await until('one segment is left', () => journal.stats().segments === 1);
  await untilPrepared(directory, 2);
  await journal.close();
  t.equal(snapshotOf(directory).size, 2);
  journal = await openSmall(t, directory);
  t.strictSame(
    journal.open('a').map(({ end }) => end),
    ends,
  );
  t.strictSame(
    journal.open('a').map(({ committed }) => committed),
    ends,
  );
  t.equal(await appendText(part(journal, 'a', 0), 'next'), ends[0]);
});

t.test('one partition that is not committed keeps the segments', async (t) => {
  const directory = temporaryDirectory(t);
  let journal = await openSmall(t, directory);
  const texts = await fillSegments(journal, 4);
  for (const partition of journal.open('a')) partition.commit(partition.index === 2 ? 1 : partition.end);
  await appendText(part(journal, 'a', 0), 'another');
  await journal.close();
  journal = await openSmall(t, directory);
  t.equal(journal.stats().segments, 4);
  t.strictSame(await readTexts(part(journal, 'a', 2), 1), texts.filter((_, i) => i % 4 === 2).slice(1));
});

t.test('a reader far behind reads from the disk, in bounded memory', async (t) => {
  const directory = temporaryDirectory(t);
  const tail = 32 * KIB;
  const journal = await openSmall(t, directory, { memoryTailBytesMax: tail, blockCacheBytesMax: 256 * KIB });
  const texts = await fillSegments(journal, 20);
  t.ok(journal.stats().tailBytes <= tail);
  const lists = await Promise.all([0, 1, 2, 3].map((i) => readTexts(part(journal, 'a', i), 0, 8 * KIB)));
  for (const [i, list] of lists.entries())
    t.strictSame(
      list,
      texts.filter((_, j) => j % 4 === i),
    );
  const { blockReads, cacheBytes } = journal.stats();
  t.ok(cacheBytes <= 256 * KIB, `${cacheBytes} bytes cached`);
  t.ok(blockReads <= 60, `${blockReads} blocks read for 20 segments of one block`);
});

t.test('the time of each group commit with messages is measured, and of no other', async (t) => {
  const journal = await openSmall(t, temporaryDirectory(t));
  for (let n = 0; n < 5; n++) await appendText(part(journal, 'a', 0), `${n}`);
  const { counts, sum } = journal.commitTimes();
  t.equal(
    counts.reduce((a, b) => a + b, 0),
    5,
  );
  t.ok(sum > 0 && sum < 5, `${sum} seconds`);
  part(journal, 'a', 0).commit(5);
  await until('the commit is written', () => journal.lag() === 0);
  await journal.close();
  t.strictSame(journal.commitTimes().counts, counts);
});

t.test('damage on the disk is an error of the read, never a wrong message', async (t) => {
  const directory = temporaryDirectory(t);
  const injected = new FaultyFileSystem();
  const journal = await openSmall(t, directory, {
    memoryTailBytesMax: 0,
    fs: {
      ...injected.fs,
      read: async (fd, buffer, offset, length, position) => {
        const read = await injected.fs.read(fd, buffer, offset, length, position);
        const at = buffer.indexOf('flip me');
        if (at >= 0) buffer[at] = 0;
        return read;
      },
    },
  });
  await appendText(part(journal, 'a', 0), 'good');
  await appendText(part(journal, 'a', 0), 'flip me');
  t.strictSame((await part(journal, 'a', 0).read(0, 1)).length, 1);
  await t.rejects(Promise.resolve(part(journal, 'a', 0).read(1, 100)), { code: 'TETHER_LOG_READ' });
});

t.test('full at its size limit; open again when readers make room', async (t) => {
  const directory = temporaryDirectory(t);
  let journal = await openSmall(t, directory, { bytesMax: 3 * 64 * KIB });
  const states: string[] = [];
  journal.onStateChange = (state) => states.push(state);
  let count = 0;
  const append = () => appendText(part(journal, 'a', 0), 'x'.repeat(2_000)).then(() => count++);
  await t.rejects(
    (async () => {
      for (;;) await append();
    })(),
    { code: 'TETHER_LOG_FULL' },
  );
  t.equal(journal.state, 'full');
  t.ok(count > 60);
  t.equal(journal.stats().diskBytes, 3 * 64 * KIB);
  part(journal, 'a', 0).commit(40);
  await until('open again', () => journal.state === 'open');
  await append();
  await t.rejects(
    (async () => {
      for (;;) await append();
    })(),
    { code: 'TETHER_LOG_FULL' },
  );
  // Many times around: what is written to make room must not use up the room.
  for (let round = 0; round < 10; round++) {
    const partition = part(journal, 'a', 0);
    for (let i = 0; i < 32; i++) partition.commit(partition.committed + 1);
    await until(`open again, round ${round}`, () => journal.state === 'open');
    await t.rejects(
      (async () => {
        for (;;) await append();
      })(),
      { code: 'TETHER_LOG_FULL' },
    );
  }
  await journal.close();
  journal = await openSmall(t, directory, { bytesMax: 3 * 64 * KIB });
  t.equal(part(journal, 'a', 0).end, count);
  t.strictSame(states.slice(0, 3), ['full', 'open', 'full']);
});

t.test('the disk is full while a segment is prepared: full, then open when there is space', async (t) => {
  const directory = temporaryDirectory(t);
  const { fs, faults } = new FaultyFileSystem();
  const journal = await openSmall(t, directory, { fs });
  await untilPrepared(directory, 2);
  faults.set('write', 'ENOSPC');
  const kept: string[] = [];
  let failure: unknown;
  while (failure === undefined) {
    const text = `${kept.length}-`.padEnd(3_000, 'x');
    await appendText(part(journal, 'a', 0), text).then(
      () => kept.push(text),
      (error: unknown) => {
        failure = error;
      },
    );
  }
  t.match(failure, { code: 'TETHER_LOG_FULL', cause: { code: 'ENOSPC' } });
  t.equal(journal.state, 'full');
  faults.clear();
  await until('open again', () => journal.state === 'open');
  t.equal(await appendText(part(journal, 'a', 0), 'after'), kept.length);
  t.strictSame(await readTexts(part(journal, 'a', 0), 0), [...kept, 'after']);
});

t.test('a deletion that failed half way is finished later, and the space is there again', async (t) => {
  const directory = temporaryDirectory(t);
  const { fs, faults } = new FaultyFileSystem();
  const journal = await openSmall(t, directory, { fs, bytesMax: 4 * 64 * KIB });
  const partition = part(journal, 'a', 0);
  await untilPrepared(directory, 2);
  while (journal.stats().segments < 2) await appendText(partition, 'x'.repeat(8_000));
  await untilPrepared(directory, 3);
  faults.set('syncDirectory', 'EMFILE');
  partition.commit(partition.end);
  await until('the first segment is gone', () => snapshotOf(directory).size === 2);
  faults.clear();
  for (let n = 0; n < 80; n++) {
    await until('it is taken', () =>
      appendText(partition, 'x'.repeat(8_000)).then(
        () => true,
        () => false,
      ),
    );
    partition.commit(partition.end);
  }
  t.equal(journal.state, 'open');
  t.equal(journal.lag(), 0);
});

for (const call of ['writeSync', 'fdatasyncSync', 'fdatasync'] as const) {
  t.test(`${call} fails: nothing is acknowledged any more, a restart finds what was`, async (t) => {
    const directory = temporaryDirectory(t);
    const { fs, faults } = new FaultyFileSystem();
    const syncPolicy = {
      inlineUsMax: call === 'fdatasync' ? 0 : 1e9,
      probeMsMin: 60_000,
      probeMsMax: 60_000,
    };
    let journal = await openSmall(t, directory, { fs, syncPolicy });
    const changes: unknown[] = [];
    journal.onStateChange = (state, previous, cause) =>
      changes.push([state, previous, cause instanceof Error]);
    for (let i = 0; i < 5; i++) await appendText(part(journal, 'a', 0), `m${i}`);
    faults.set(call, 'EIO');
    const results = await Promise.allSettled([0, 1, 2].map((i) => appendText(part(journal, 'a', i), 'lost')));
    for (const result of results)
      t.match(result, { status: 'rejected', reason: { code: 'TETHER_LOG_CLOSED' } });
    t.equal(journal.state, 'failed');
    t.strictSame(changes, [['failed', 'open', true]]);
    faults.clear();
    await t.rejects(appendText(part(journal, 'a', 0), 'no more'), { code: 'TETHER_LOG_CLOSED' });
    t.strictSame(await readTexts(part(journal, 'a', 0), 0), ['m0', 'm1', 'm2', 'm3', 'm4']);
    part(journal, 'a', 0).commit(1);
    await journal.close();
    journal = await openSmall(t, directory);
    t.strictSame((await readTexts(part(journal, 'a', 0), 0)).slice(0, 5), ['m0', 'm1', 'm2', 'm3', 'm4']);
  });
}

t.test('what waits for the disk is bounded', async (t) => {
  const journal = await openSmall(t, temporaryDirectory(t), { pendingBytesMax: 8 * KIB });
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => appendText(part(journal, 'a', 0), 'x'.repeat(1_000))),
  );
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 8);
  t.match(results[10], { reason: { code: 'TETHER_LOG_FULL' } });
  t.equal(await appendText(part(journal, 'a', 0), 'fits again'), 8);
  await t.rejects(appendText(part(journal, 'a', 0), 'x'.repeat(40 * KIB)), { code: 'TETHER_LOG_FULL' });
});

t.test('a group larger than what is left of a segment is split, in order', async (t) => {
  const directory = temporaryDirectory(t);
  let journal = await openSmall(t, directory);
  const texts = Array.from({ length: 600 }, (_, i) => `${i}-`.padEnd(100 + (i % 7) * 500, 'y'));
  const offsets = await Promise.all(texts.map((text, i) => appendText(part(journal, 'a', i % 3), text)));
  t.strictSame(
    offsets,
    texts.map((_, i) => Math.floor(i / 3)),
  );
  await journal.close();
  journal = await openSmall(t, directory);
  for (const index of [0, 1, 2]) {
    t.strictSame(
      await readTexts(part(journal, 'a', index), 0),
      texts.filter((_, i) => i % 3 === index),
    );
  }
});

t.test('a group too long for memory leaves no gap in what is in memory', async (t) => {
  const journal = await openSmall(t, temporaryDirectory(t), { memoryTailBytesMax: 4 * KIB });
  const texts = ['short', 'x'.repeat(8 * KIB), 'short again'];
  for (const text of texts) await appendText(part(journal, 'a', 0), text);
  t.strictSame(await readTexts(part(journal, 'a', 0), 0), texts);
  t.ok(Array.isArray(part(journal, 'a', 0).read(2, 100)), 'the last one from memory');
});

t.test('commits alone are written down after a while, without a sync', async (t) => {
  const directory = temporaryDirectory(t);
  const { fs, calls } = new FaultyFileSystem();
  let later: (() => void) | undefined;
  const clock = {
    nowUs: () => performance.now() * 1000,
    after: (_delayMs: number, callback: () => void) => {
      later = callback;
      return () => {
        later = undefined;
      };
    },
  };
  const syncPolicy = { inlineUsMax: 1e9, probeMsMin: 1, probeMsMax: 1 };
  const journal = await openSmall(t, directory, { fs, clock, syncPolicy });
  for (let i = 0; i < 10; i++) await appendText(part(journal, 'a', 0), `m${i}`);
  const syncs = calls.get('fdatasyncSync');
  for (const offset of [3, 7]) {
    part(journal, 'a', 0).commit(offset);
    later?.();
  }
  t.equal(calls.get('fdatasyncSync'), syncs);
  const copy = temporaryDirectory(t);
  restoreSnapshot(copy, snapshotOf(directory));
  const recovered = await openSmall(t, copy);
  t.equal(part(recovered, 'a', 0).committed, 7);
  // The next group goes over it, and says the same.
  await appendText(part(journal, 'a', 0), 'm10');
  await recovered.close();
  restoreSnapshot(copy, snapshotOf(directory));
  const again = await openSmall(t, copy);
  t.strictSame([part(again, 'a', 0).committed, part(again, 'a', 0).end], [7, 11]);
  t.strictSame(await readTexts(part(again, 'a', 0), 7), ['m7', 'm8', 'm9', 'm10']);
});

t.test('another number of partitions: only when everything is committed', async (t) => {
  const directory = temporaryDirectory(t);
  let journal = await openSmall(t, directory);
  await appendText(part(journal, 'a', 0), 'x');
  await journal.close();
  const before = snapshotOf(directory);
  await t.rejects(openJournal(smallOptions(directory, { partitions: 8 })), {
    code: 'TETHER_JOURNAL_PARTITIONS',
  });
  t.strictSame(snapshotOf(directory), before, 'nothing is changed');
  journal = await openSmall(t, directory);
  part(journal, 'a', 0).commit(1);
  await journal.close();
  journal = await openSmall(t, directory, { partitions: 8 });
  t.equal(journal.open('a').length, 8);
  t.equal(await appendText(part(journal, 'a', 7), 'y'), 0);
  await journal.close();
  journal = await openSmall(t, directory, { partitions: 8 });
  t.strictSame(await readTexts(part(journal, 'a', 7), 0), ['y']);
  await until('the old segment is gone', () => journal.stats().segments === 1);
});

t.test('a directory that cannot be used', async (t) => {
  const { fs, faults } = new FaultyFileSystem();
  const code = { code: 'TETHER_JOURNAL_DIRECTORY' };
  await t.rejects(openJournal(smallOptions('/dev/null')), code);
  await t.rejects(openJournal(smallOptions('/dev/null/below')), code);
  for (const [call, errno] of [
    ['mkdir', 'EROFS'],
    ['open', 'EACCES'],
    ['write', 'ENOSPC'],
  ] as const) {
    faults.clear();
    faults.set(call, errno);
    const directory = temporaryDirectory(t);
    await t.rejects(openJournal(smallOptions(directory, { fs })), code);
    faults.clear();
    await (await openSmall(t, directory, { fs })).close();
  }
  await t.rejects(openJournal(smallOptions('/tmp', { partitions: Number.NaN })), { name: 'RangeError' });
});
