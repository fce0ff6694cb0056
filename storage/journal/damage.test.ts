/** Damage on the disk: it is reported with its place, and nothing is changed. What only looks like it: `recovery.test.ts`. */
import t from 'tap';
import { segmentName } from './format.js';
import { openJournal } from './open.js';
import {
  changed,
  FIRST,
  groupsOf,
  restoreSnapshot,
  SMALL,
  smallOptions,
  snapshotOf,
  temporaryDirectory,
  writeGroups,
  writeSegments,
} from './testing.js';

t.test(
  'a flipped bit in the middle, in the header or the checkpoint is reported, and nothing is changed',
  async (t) => {
    const files = await writeGroups(t, temporaryDirectory(t), 6);
    const bytes = files.get(FIRST) ?? Buffer.alloc(0);
    const groups = groupsOf(bytes);
    const middle = groups[3];
    const last = groups.at(-1);
    if (middle === undefined || last === undefined) throw new Error('too few groups');
    const directory = temporaryDirectory(t);
    let flips = 0;
    for (
      let at = 0;
      at < last.position;
      at += at >= middle.position && at < middle.position + middle.length ? 1 : 5
    ) {
      const flipped = changed(files, FIRST, (copy) => {
        copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8));
        return copy;
      });
      restoreSnapshot(directory, flipped);
      const group = groups.findLast(({ position }) => position <= at);
      const position = group === undefined || group === groups[0] ? 0 : group.position;
      const failure = await openJournal(smallOptions(directory, SMALL)).then(
        async (journal) => journal.close(),
        (error: unknown) => error,
      );
      const fields = failure as { code?: string; position?: number; path?: string };
      // A flipped version number cannot be told from another version, but for the checksum: damaged all the same.
      if (
        fields?.code !== 'TETHER_JOURNAL_DAMAGED' ||
        fields.position !== position ||
        !fields.path?.endsWith(FIRST)
      ) {
        t.fail(`bit at ${at} (group at ${position}): ${String(failure)}`);
      }
      if (flips++ % 20 === 0)
        t.strictSame(snapshotOf(directory), flipped, `nothing changed after the flip at ${at}`);
    }
    t.pass(`${flips} flips`);
  },
);

t.test('a file that got shorter or longer is reported: no crash does that', async (t) => {
  const files = await writeGroups(t, temporaryDirectory(t), 6);
  const directory = temporaryDirectory(t);
  const size = SMALL.segmentBytes;
  for (const bytes of [0, 63, 64, 65, 1000, size - 1, size + 1]) {
    const resized = changed(files, FIRST, (copy) =>
      Buffer.concat([copy, Buffer.alloc(1)]).subarray(0, bytes),
    );
    restoreSnapshot(directory, resized);
    await t.rejects(openJournal(smallOptions(directory, SMALL)), {
      code: 'TETHER_JOURNAL_DAMAGED',
      position: Math.min(bytes, size),
      message: `the file has ${bytes} bytes`,
    });
    t.strictSame(snapshotOf(directory), resized, 'nothing changed');
  }
});

t.test('a missing segment is named', async (t) => {
  const { directory, files } = await writeSegments(t);
  for (const number of [1, 2, 3]) {
    const some = new Map(files);
    some.delete(segmentName(number));
    restoreSnapshot(directory, some);
    const path = `${directory}/${segmentName(number)}`;
    await t.rejects(openJournal(smallOptions(directory, SMALL)), { code: 'TETHER_JOURNAL_DAMAGED', path });
    t.strictSame(snapshotOf(directory), some);
  }
});

t.test('damage in a sealed segment, at its end too, and a segment that was zeroed or renamed', async (t) => {
  const { directory, files } = await writeSegments(t);
  const name = segmentName(2);
  const groups = groupsOf(files.get(name) ?? Buffer.alloc(0));
  const last = groups.at(-1) ?? { position: 0, length: 0 };
  const damaged = { code: 'TETHER_JOURNAL_DAMAGED' };
  const damages: [string, number, (bytes: Buffer) => Buffer][] = [
    ['last group flipped', last.position, (bytes) => bytes.fill(99, last.position + 60, last.position + 61)],
    ['cut off in its last group', last.position + 50, (bytes) => bytes.subarray(0, last.position + 50)],
    [
      'bytes behind its last group',
      last.position + last.length,
      (bytes) => bytes.fill(1, last.position + last.length),
    ],
    ['all zeros', 0, (bytes) => bytes.fill(0)],
    ['empty', 0, () => Buffer.alloc(0)],
    ['another segment under its name', 0, () => files.get(segmentName(1)) ?? Buffer.alloc(0)],
  ];
  for (const [what, position, change] of damages) {
    const bad = changed(files, name, change);
    restoreSnapshot(directory, bad);
    await t.rejects(
      openJournal(smallOptions(directory, SMALL)),
      { ...damaged, position, path: `${directory}/${name}` },
      what,
    );
    t.strictSame(snapshotOf(directory), bad);
  }
  // The last group gone without a trace: the next segment's checkpoint shows it.
  restoreSnapshot(
    directory,
    changed(files, name, (bytes) => bytes.fill(0, last.position)),
  );
  await t.rejects(openJournal(smallOptions(directory, SMALL)), damaged, 'last group zeroed');
});

t.test('valid groups that cannot stand where they stand', async (t) => {
  const files = await writeGroups(t, temporaryDirectory(t), 6);
  const groups = groupsOf(files.get(FIRST) ?? Buffer.alloc(0));
  const [, , second, third] = groups;
  if (second === undefined || third === undefined) throw new Error('too few groups');
  const directory = temporaryDirectory(t);
  // Group 3 over group 2: both have one message and the same length.
  t.equal(second.length, third.length);
  restoreSnapshot(
    directory,
    changed(files, FIRST, (bytes) => {
      bytes.copy(bytes, second.position, third.position, third.position + third.length);
      return bytes;
    }),
  );
  await t.rejects(openJournal(smallOptions(directory, SMALL)), {
    position: second.position,
    code: 'TETHER_JOURNAL_DAMAGED',
  });
});

t.test('another version of the format is refused by name', async (t) => {
  const { crc32 } = await import('node:zlib');
  const files = await writeGroups(t, temporaryDirectory(t), 2);
  const directory = temporaryDirectory(t);
  restoreSnapshot(
    directory,
    changed(files, FIRST, (bytes) => {
      bytes.writeUInt32LE(7, 8);
      bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
      return bytes;
    }),
  );
  await t.rejects(openJournal(smallOptions(directory, SMALL)), { code: 'TETHER_JOURNAL_FORMAT' });
});
