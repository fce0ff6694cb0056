import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../runtime/clock.js';
import { ObjectStoreUnavailableError } from '../../../storage/objects/errors.js';
import { FolderObjectStore } from '../../../storage/objects/folder/folder-store.js';
import { PART_BYTES, PART_BYTES_MIN } from '../../../storage/objects/object-store.js';
import { PartBudget } from '../../../storage/objects/part-budget.js';
import { AppendWriter } from './append-writer.js';

const KEY = 'uploads/one';

/** It does what it is told to complete, and dies before its answer is out. */
class AnswerlessStore extends FolderObjectStore {
  override async completeMultipart(
    ...given: Parameters<FolderObjectStore['completeMultipart']>
  ): Promise<void> {
    await super.completeMultipart(...given);
    throw new ObjectStoreUnavailableError('no answer');
  }
}

t.test(
  'what an earlier request had put is never undone, even when it became the object unheard',
  async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'tether-append-'));
    t.teardown(() => rm(directory, { recursive: true, force: true }));
    const store = new AnswerlessStore(directory);
    await store.prepare();
    const budget = new PartBudget(4 * PART_BYTES, systemClock);
    const options = {
      store,
      key: KEY,
      budget,
      outageMsMax: 0,
      overtakes: false,
      onSeal: () => {},
      onPart: () => {},
    };
    const write = async (writer: AppendWriter, bytes: Buffer) => {
      for (let start = 0; start < bytes.byteLength; ) start += await writer.take(bytes.subarray(start));
    };

    const first = new AppendWriter({ ...options, multipart: undefined, parts: [] });
    await write(first, Buffer.alloc(PART_BYTES_MIN, 'a'));
    const { multipart, parts } = await first.detach();
    await first.close();

    const second = new AppendWriter({ ...options, multipart, parts });
    await write(second, Buffer.from('b'));
    await t.rejects(second.finish(), ObjectStoreUnavailableError);
    await second.undo();
    await second.close();
    t.equal(
      (await store.stat(KEY))?.bytes,
      PART_BYTES_MIN + 1,
      'the bytes of the first are here and nowhere else',
    );
  },
);
