import fs from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { appendText, part } from '../log-contract.js';
import { realFileSystem } from './file-system.js';
import { segmentName } from './format.js';
import { IDENTITY_NAME, identityAt, readIdentities } from './identity.js';
import { openJournal } from './open.js';
import { FaultyFileSystem, openSmall, smallOptions, snapshotOf, temporaryDirectory } from './testing.js';

t.test('two journals have two identities, and one keeps its own', async (t) => {
  const [a, b] = [temporaryDirectory(t), temporaryDirectory(t)];
  const first = await openSmall(t, a);
  t.not((await openSmall(t, b)).id, first.id);
  await first.close();
  t.equal((await openSmall(t, a)).id, first.id);
});

t.test('a journal of an earlier version gets one, and keeps it', async (t) => {
  const directory = temporaryDirectory(t);
  let journal = await openSmall(t, directory);
  const { id } = journal;
  await appendText(part(journal, 'a', 0), 'x');
  await journal.close();
  fs.rmSync(join(directory, IDENTITY_NAME));
  journal = await openSmall(t, directory);
  const given = journal.id;
  t.not(given, id);
  t.equal(part(journal, 'a', 0).end, 1);
  await journal.close();
  t.equal((await openSmall(t, directory)).id, given);
});

t.test('a damaged one is reported, and nothing is changed', async (t) => {
  const directory = temporaryDirectory(t);
  await (await openSmall(t, directory)).close();
  const path = join(directory, IDENTITY_NAME);
  const text = fs.readFileSync(path, 'latin1');
  const before = snapshotOf(directory);
  for (let at = 0; at < text.length; at++) {
    const flipped = Buffer.from(text, 'latin1');
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    fs.writeFileSync(path, flipped);
    await t.rejects(openJournal(smallOptions(directory)), { code: 'TETHER_JOURNAL_DAMAGED', path });
    t.strictSame(fs.readFileSync(path), flipped);
  }
  fs.writeFileSync(path, '');
  await t.rejects(openJournal(smallOptions(directory)), { code: 'TETHER_JOURNAL_DAMAGED', path });
  t.strictSame(snapshotOf(directory), before);
});

t.test('a journal that begins anew has a new one, but not before it has begun', async (t) => {
  const directory = temporaryDirectory(t);
  const journal = await openSmall(t, directory);
  await appendText(part(journal, 'a', 0), 'x');
  part(journal, 'a', 0).commit(1);
  await journal.close();
  const faulty = new FaultyFileSystem();
  faulty.faults.set('write', 'EIO');
  const more = { partitions: 8, segmentBytes: 32 * 1024 };
  await t.rejects(openJournal(smallOptions(directory, { ...more, fs: faulty.fs })), 'before it is written');
  // Written, but the segment that it is for has not begun: its preparation fails.
  faulty.faults.clear();
  const { rename, write } = faulty.fs;
  let named = false;
  const cutOff = {
    ...faulty.fs,
    rename: async (from: string, to: string) => {
      await rename(from, to);
      if (to.endsWith(IDENTITY_NAME)) named = true;
    },
    write: async (...args: Parameters<typeof write>) => {
      if (named) throw Object.assign(new Error('cut off'), { code: 'EIO' });
      await write(...args);
    },
  };
  await t.rejects(openJournal(smallOptions(directory, { ...more, fs: cutOff })), {
    code: 'TETHER_JOURNAL_DIRECTORY',
  });
  t.equal(named, true);
  const old = await openSmall(t, directory);
  t.equal(old.id, journal.id, 'still the old journal');
  await old.close();
  const anew = await openSmall(t, directory, more);
  t.not(anew.id, journal.id);
  t.equal(part(anew, 'a', 0).end, 0);
  await anew.close();
  t.equal((await openSmall(t, directory, more)).id, anew.id);
});

t.test('an empty directory is another journal, whatever its identity says', async (t) => {
  const directory = temporaryDirectory(t);
  const journal = await openSmall(t, directory);
  await journal.close();
  for (const name of snapshotOf(directory).keys()) fs.rmSync(join(directory, name));
  const other = await openSmall(t, directory);
  t.not(other.id, journal.id);
  t.ok(snapshotOf(directory).has(segmentName(1)));
  t.equal(identityAt(await readIdentities(realFileSystem, directory), 1)?.id, other.id);
});
