/** Durability `memory`: what reaches the disk when, so that a power cut takes a tail and leaves no hole. */
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { appendText, part, readTexts } from '../log-contract.js';
import type { FileSystem } from './file-system.js';
import { segmentName } from './format.js';
import { MEMORY_SYNC_BYTES } from './memory-sync.js';
import {
  FaultyFileSystem,
  KIB,
  openSmall,
  restoreSnapshot,
  snapshotOf,
  temporaryDirectory,
} from './testing.js';

/** Background syncs wait until they are let go. */
function heldSyncs(): { fs: FileSystem; held: (() => void)[] } {
  const { fs } = new FaultyFileSystem();
  const held: (() => void)[] = [];
  const fdatasync = (fd: number, done: (error: Error | null) => void) => {
    held.push(() => fs.fdatasync(fd, done));
  };
  return { fs: { ...fs, fdatasync }, held };
}

t.test('no byte of a segment is written before the one before it is on the disk', async (t) => {
  const directory = temporaryDirectory(t);
  const { fs, held } = heldSyncs();
  const journal = await openSmall(t, directory, { fs, durability: 'memory' });
  await until('the next segment is ready', () => snapshotOf(directory).has(segmentName(2)));
  const texts = Array.from({ length: 130 }, (_, i) => `m${i}-`.padEnd(KIB, 'x'));
  let appended = 0;
  const appendAll = async () => {
    for (const text of texts) {
      await appendText(part(journal, 'a', 0), text);
      appended++;
    }
  };
  const done = appendAll();
  await until('the first segment is used up', () => held.length > 0);
  t.ok(appended > 50 && appended < texts.length, `${appended} of ${texts.length} are acknowledged`);
  const before = snapshotOf(directory);
  t.ok(
    before.get(segmentName(2))?.every((byte) => byte === 0),
    'the second segment is still empty',
  );

  // A power cut now: any of the first segment's bytes may be missing at its end.
  const cut = temporaryDirectory(t);
  before.get(segmentName(1))?.fill(0, 30 * KIB + 7);
  restoreSnapshot(cut, before);
  const after = await openSmall(t, cut);
  const kept = await readTexts(part(after, 'a', 0), 0);
  t.ok(kept.length > 0, `${kept.length} are kept`);
  t.strictSame(kept, texts.slice(0, kept.length));

  const timer = setInterval(() => held.shift()?.(), 5);
  t.teardown(() => clearInterval(timer));
  await done;
  t.strictSame(await readTexts(part(journal, 'a', 0), 0), texts);
});

t.test('it syncs in the background, and a failure ends the journal', async (t) => {
  const { fs, calls, faults } = new FaultyFileSystem();
  const sizes = { segmentBytes: 4 * MEMORY_SYNC_BYTES, bytesMax: 16 * MEMORY_SYNC_BYTES };
  const journal = await openSmall(t, temporaryDirectory(t), { fs, durability: 'memory', ...sizes });
  const text = 'x'.repeat(64 * KIB);
  for (let i = 0; i < 63; i++) await appendText(part(journal, 'a', 0), text);
  t.equal(calls.get('fdatasync'), undefined);
  await appendText(part(journal, 'a', 0), text);
  t.equal(calls.get('fdatasync'), 1);
  faults.set('fdatasync', 'EIO');
  await until('another sync', async () => {
    if (journal.state === 'open') await appendText(part(journal, 'a', 0), text);
    return journal.state === 'failed';
  });
  await t.rejects(appendText(part(journal, 'a', 0), 'no more'), { code: 'TETHER_LOG_CLOSED' });
});
