/** What a crash, a bit flip or a lost file does to a journal: cut bytes into a copy of its directory, and open it. */
import t, { type Test } from 'tap';
import { appendText, part, readTexts } from '../log-contract.js';
import { readRecord } from './group-reader.js';
import { openJournal } from './open.js';
import { recoverDirectory } from './recovery.js';
import { classify, type SegmentFacts } from './recovery-table.js';
import {
  changed,
  FaultyFileSystem,
  FIRST,
  groupsOf,
  hasTemporary,
  openSmall,
  restoreSnapshot,
  SMALL,
  seededRandom,
  smallOptions,
  snapshotOf,
  temporaryDirectory,
  testSeed,
  writeGroups,
  writeSegments,
} from './testing.js';

/** Opens, checks that exactly `texts` are there, that appends go on, and that a second start finds that. */
async function expectTexts(t: Test, directory: string, texts: readonly (readonly string[])[], what: string) {
  const journal = await openJournal(smallOptions(directory, SMALL));
  for (const [i, wanted] of texts.entries()) {
    const found = await readTexts(part(journal, 'a', i), 0);
    if (found.join() !== wanted.join()) t.fail(`${what}: partition ${i} has ${found}, not ${wanted}`);
  }
  const offset = await appendText(part(journal, 'a', 0), 'after');
  if (offset !== texts[0]?.length) t.fail(`${what}: offset ${offset} after recovery`);
  await journal.close();
  const again = await openJournal(smallOptions(directory, SMALL));
  const found = await readTexts(part(again, 'a', 0), 0);
  if (found.join() !== [...(texts[0] ?? []), 'after'].join()) t.fail(`${what}: second start has ${found}`);
  await again.close();
}
function textsWithout(groups: number): string[][] {
  const texts: string[][] = [[], [], [], []];
  for (let i = 0; i < groups; i++) texts[i % 4]?.push(`m${i}`);
  return texts;
}

t.test('every combination of facts matches one row of the table', async (t) => {
  const flags = [false, true];
  let cases = 0;
  for (const allZero of flags)
    for (const laterUsed of flags)
      for (const baseKnown of flags)
        for (const ends of ['clean', 'bad', 'impossible'] as const)
          for (const proof of flags) {
            const facts: SegmentFacts = { allZero, laterUsed, baseKnown, ends, proof };
            t.doesNotThrow(() => classify(facts), JSON.stringify(facts));
            cases++;
          }
  t.equal(cases, 48);
});

t.test('a torn write of the last group, cut at every byte', async (t) => {
  const origin = temporaryDirectory(t);
  const files = await writeGroups(t, origin, 6);
  const bytes = files.get(FIRST) ?? Buffer.alloc(0);
  const last = groupsOf(bytes).at(-1);
  if (last === undefined) throw new Error('no group');
  const directory = temporaryDirectory(t);
  const random = seededRandom(testSeed());
  const wanted = textsWithout(6);
  for (let cut = 0; cut < last.length; cut += 1) {
    // Opened once for each byte; the full check, with appends and a second start, for some.
    const fill = cut % 2 === 0 ? 'zeros' : 'garbage';
    const torn = changed(files, FIRST, (copy) => {
      const at = last.position + cut;
      const end = last.position + last.length;
      for (let i = at; i < end; i++) copy[i] = fill === 'zeros' ? 0 : Math.floor(random() * 256);
      return copy;
    });
    restoreSnapshot(directory, torn);
    if (cut % 61 === 0) {
      await expectTexts(t, directory, wanted, `cut at ${cut}, then ${fill}`);
    } else {
      const recovery = await recoverDirectory(new FaultyFileSystem().fs, directory);
      const next = recovery.channels[0]?.partitions.map((partition) => partition.next).join();
      // Zeros over zeros at the end change nothing: the group is whole, and kept.
      const whole = torn
        .get(FIRST)
        ?.subarray(0, last.position + last.length)
        .equals(bytes.subarray(0, last.position + last.length));
      const offsets = wanted.map(({ length }) => length + (whole ? 1 : 0)).join();
      if (next !== offsets) t.fail(`cut at ${cut}, then ${fill}: ${next}, not ${offsets}`);
    }
  }
  t.pass(`${last.length} cuts`);
});

t.test('a torn write of the last group, any of its sectors lost', async (t) => {
  const seed = testSeed();
  t.comment(`TEST_SEED=${seed}`);
  const random = seededRandom(seed);
  const origin = temporaryDirectory(t);
  let journal = await openSmall(t, origin, SMALL);
  for (let i = 0; i < 5; i++) await appendText(part(journal, 'a', i % 4), `m${i}`);
  await journal.close();
  const before = snapshotOf(origin);
  journal = await openSmall(t, origin, SMALL);
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => appendText(part(journal, 'a', i % 4), `n${i}`.padEnd(200, 'q'))),
  );
  await journal.close();
  const after = snapshotOf(origin);
  const directory = temporaryDirectory(t);
  let rounds = 0;
  for (let round = 0; round < 40; round++) {
    let lost = 0;
    restoreSnapshot(
      directory,
      changed(after, FIRST, (bytes) => {
        const old = before.get(FIRST) ?? Buffer.alloc(0);
        for (let at = 0; at < bytes.length; at += 512) {
          const sector = old.subarray(at, at + 512);
          if (sector.equals(bytes.subarray(at, at + 512)) || random() < 0.5) continue;
          sector.copy(bytes, at);
          lost++;
        }
        return bytes;
      }),
    );
    if (lost === 0) continue;
    rounds++;
    await expectTexts(t, directory, textsWithout(5), `${lost} sectors lost in round ${round}`);
  }
  t.ok(rounds > 30, `${rounds} rounds`);
});

t.test('a crash while a segment is prepared or started leaves nothing that matters', async (t) => {
  const { directory, files } = await writeSegments(t);
  const used = [...files.keys()].filter((name) => groupsOf(files.get(name) ?? Buffer.alloc(0)).length > 0);
  const last = used.at(-1) ?? '';
  const open = async () => {
    const journal = await openJournal(smallOptions(directory, SMALL));
    const ends = journal.open('a').map(({ end }) => end);
    const offset = await appendText(part(journal, 'a', 0), 'after');
    t.equal(offset, ends[0]);
    await journal.close();
    await (await openJournal(smallOptions(directory, SMALL))).close();
    t.equal(hasTemporary(directory), false);
    return ends;
  };
  restoreSnapshot(directory, files);
  const ends = await open();
  const withTemporary = new Map(files).set('journal-0000000000000009.tmp', Buffer.alloc(5_000));
  restoreSnapshot(directory, withTemporary);
  t.strictSame(await open(), ends, 'a temporary file');
  const without = new Map(files);
  for (const name of files.keys()) if (name > last) without.delete(name);
  restoreSnapshot(directory, without);
  t.strictSame(await open(), ends, 'no prepared segment');
  // The last segment as its start left it when it was torn: the offsets come from the one before.
  for (const kept of [1, 8, 63, 64, 70, 100]) {
    restoreSnapshot(
      directory,
      changed(files, last, (bytes) => bytes.fill(0, kept)),
    );
    const found = await open();
    t.ok(
      found.every((end, i) => end <= (ends[i] ?? 0)),
      `${kept} bytes of its start`,
    );
  }
});

t.test(
  'old segments gone and the checkpoint of the last one damaged: refused, or offsets would start again',
  async (t) => {
    const { directory, files } = await writeSegments(t, true);
    const [name = ''] = files.keys();
    t.not(name, FIRST);
    for (const change of [
      (b: Buffer) => b.fill(0),
      (b: Buffer) => b.fill(0, 0, 80),
      (b: Buffer) => b.fill(0, 100),
    ]) {
      restoreSnapshot(directory, changed(files, name, change));
      await t.rejects(openJournal(smallOptions(directory, SMALL)), {
        code: 'TETHER_JOURNAL_DAMAGED',
        position: 0,
      });
    }
  },
);

t.test('a message that looks like a group is no proof of anything', async (t) => {
  const files = await writeGroups(t, temporaryDirectory(t), 3);
  const bytes = files.get(FIRST) ?? Buffer.alloc(0);
  const group = groupsOf(bytes)[2] ?? { position: 0, length: 0 };
  t.ok(readRecord(bytes, group.position + 40, bytes.length));
  const directory = temporaryDirectory(t);
  const forged = Buffer.from(bytes.subarray(group.position, group.position + group.length));
  const journal = await openSmall(t, directory, SMALL);
  await appendText(part(journal, 'a', 0), 'm0');
  await new Promise<void>((resolve, reject) => {
    // 4 bytes of length stand before it, so 4 more put it on a multiple of 8.
    const envelope = Buffer.concat([Buffer.alloc(4), forged, forged]);
    part(journal, 'a', 0).append(envelope, { appended: () => resolve(), appendFailed: reject });
  });
  await journal.close();
  const own = snapshotOf(directory);
  const last = groupsOf(own.get(FIRST) ?? Buffer.alloc(0)).at(-1) ?? { position: 0, length: 0 };
  restoreSnapshot(
    directory,
    changed(own, FIRST, (copy) => copy.fill(0, last.position, last.position + 8)),
  );
  await expectTexts(t, directory, [['m0']], 'forged');
});
