/** A journal at its limit: what actors pass on is taken still, up to a further one, and it becomes open by it. */
import t, { type Test } from 'tap';
import { until } from '../../runtime/testing/until.js';
import { appendText, type ContractTest, part, passOn, readTexts, testFullLog } from '../log-contract.js';
import type { Journal } from './journal.js';
import type { JournalOptions } from './options.js';
import { PASSED_ON_TIMES } from './segment-chain.js';
import {
  FaultyFileSystem,
  KIB,
  openSmall,
  snapshotOf,
  temporaryDirectory,
  untilPrepared,
} from './testing.js';

const SEGMENT_BYTES = 64 * KIB;
const BYTES_MAX = 3 * SEGMENT_BYTES;
const TEXT = 'x'.repeat(2_000);
const FULL = { code: 'TETHER_LOG_FULL' };

/** As senders do, until nothing more is taken. */
async function fill(journal: Journal): Promise<void> {
  const first = part(journal, 'first', 0);
  while (journal.state !== 'full') await appendText(first, TEXT).catch(() => undefined);
}

async function openFull(t: ContractTest, directory: string, more: Partial<JournalOptions> = {}) {
  const journal = await openSmall(t, directory, { bytesMax: BYTES_MAX, ...more });
  part(journal, 'second', 0);
  await fill(journal);
  return journal;
}

/**
 * Handles one message of `first`: `times` messages for `second`, then it is done.
 * @throws LogFullError and it is not done
 */
async function handleNext(journal: Journal, times: number): Promise<void> {
  const first = part(journal, 'first', 0);
  for (let n = 0; n < times; n++) await appendText(part(journal, 'second', 0), TEXT, true);
  first.commit(first.committed + 1);
}

function commitAll(journal: Journal): void {
  for (const actor of ['first', 'second']) for (const each of journal.open(actor)) each.commit(each.end);
}

testFullLog(t, (t) => openFull(t, temporaryDirectory(t)));
testFullLog(t, (t) => openFull(t, temporaryDirectory(t), { durability: 'memory', memoryTailBytesMax: 0 }));

t.test('three messages for each, by actors that all work', async (t) => {
  const journal = await openFull(t, temporaryDirectory(t));
  const [first, second] = [part(journal, 'first', 0), part(journal, 'second', 0)];
  let bytesMost = 0;
  while (first.committed < first.end) {
    await handleNext(journal, 3);
    second.commit(second.end);
    bytesMost = Math.max(bytesMost, journal.stats().diskBytes);
  }
  t.ok(bytesMost > BYTES_MAX, `${bytesMost} bytes`);
  await until('it is open', () => journal.state === 'open');
});

t.test('an actor that is held up does not hold up the one before it; senders wait for it', async (t) => {
  const journal = await openFull(t, temporaryDirectory(t));
  const [first, second] = [part(journal, 'first', 0), part(journal, 'second', 0)];
  while (first.committed < first.end) await handleNext(journal, 2);
  t.equal(journal.state, 'full');
  await t.rejects(appendText(first, TEXT), FULL);
  t.equal(second.end, 2 * first.end);
  second.commit(second.end);
  await until('it is open', () => journal.state === 'open');
  await appendText(first, TEXT);
  await until('it is short', () => journal.stats().diskBytes <= BYTES_MAX);
});

t.test('the further limit is one too; given more, it goes on where it was', async (t) => {
  const directory = temporaryDirectory(t);
  let journal = await openFull(t, directory);
  const sent = part(journal, 'first', 0).end;
  const handleAll = async () => {
    while (part(journal, 'first', 0).committed < sent) await handleNext(journal, 6);
  };
  await t.rejects(handleAll(), FULL);
  t.equal(journal.state, 'full');
  t.equal(journal.stats().diskBytes, PASSED_ON_TIMES * BYTES_MAX);
  const { pendingBytes, tailBytes } = journal.stats();
  t.equal(pendingBytes, 0);
  t.ok(tailBytes <= 16 * 1024 * KIB);
  await t.rejects(appendText(part(journal, 'second', 0), TEXT, true), FULL);

  const { committed } = part(journal, 'first', 0);
  t.ok(committed > 0 && committed < sent);
  const told = part(journal, 'second', 0).end;
  await journal.close();
  journal = await openSmall(t, directory, { bytesMax: 2 * BYTES_MAX });
  t.equal(journal.state, 'full', 'from the start');
  await t.rejects(appendText(part(journal, 'first', 0), TEXT), FULL);
  t.strictSame([part(journal, 'first', 0).committed, part(journal, 'second', 0).end], [committed, told]);
  await handleAll();
  t.equal((await readTexts(part(journal, 'second', 0), 0)).length, part(journal, 'second', 0).end);
  commitAll(journal);
  await until('it is open', () => journal.state === 'open');
});

t.test('one that is far beyond its limit comes back by commits alone', async (t) => {
  const segmentBytes = 16 * KIB;
  const bytesMax = 12 * segmentBytes;
  const journal = await openFull(t, temporaryDirectory(t), { segmentBytes, bytesMax });
  const [first, second] = [part(journal, 'first', 0), part(journal, 'second', 0)];
  const many = async () => {
    for (let n = 0; n < 2_000; n++) await appendText(second, TEXT, true);
  };
  await t.rejects(many(), FULL);
  t.equal(journal.stats().diskBytes, PASSED_ON_TIMES * bytesMax);
  // Each segment that goes is written down for it, which takes room itself.
  first.commit(first.end);
  while (second.committed < second.end) {
    second.commit(Math.min(second.committed + 2, second.end));
    for (let turns = 0; turns < 3; turns++) await new Promise(setImmediate);
  }
  await until('it is open', () => journal.state === 'open');
  await until('it is short', () => journal.stats().diskBytes <= 2 * segmentBytes);
});

t.test('a lower limit, with the next segment ready: open as soon as the rest is below it', async (t) => {
  const directory = temporaryDirectory(t);
  let journal = await openSmall(t, directory, { bytesMax: 2 * BYTES_MAX });
  while (journal.stats().segments < 3) await appendText(part(journal, 'first', 0), TEXT);
  await untilPrepared(directory, 4);
  await journal.close();
  journal = await openSmall(t, directory, { bytesMax: BYTES_MAX });
  t.equal(journal.state, 'full');
  part(journal, 'first', 0).commit(40);
  await until('it is open', () => journal.state === 'open');
  t.equal(journal.stats().segments, 2);
});

t.test('what a sender has pending goes along, what comes later is refused', async (t) => {
  const directory = temporaryDirectory(t);
  const journal = await openSmall(t, directory, { bytesMax: BYTES_MAX });
  const [first, second] = [part(journal, 'first', 0), part(journal, 'second', 0)];
  await untilPrepared(directory, 2);
  const together: Promise<number>[] = [];
  for (let n = 0; n < 150; n++) {
    together.push(appendText(first, `${n}-${TEXT}`));
    if (n % 10 === 9) together.push(appendText(second, `${n}-${TEXT}`, true));
  }
  const results = await Promise.allSettled(together);
  t.ok(results.every(({ status }) => status === 'fulfilled'));
  t.strictSame(
    (await readTexts(first, 0)).map((text) => Number.parseInt(text, 10)),
    Array.from({ length: 150 }, (_, n) => n),
  );
  t.equal(journal.state, 'full');
  await t.rejects(appendText(first, TEXT), FULL);
});

t.test('a disk without room: refused with its error, not failed; taken when there is room', async (t) => {
  const directory = temporaryDirectory(t);
  const { fs, faults } = new FaultyFileSystem();
  const journal = await openFull(t, directory, { fs });
  const second = part(journal, 'second', 0);
  faults.set('write', 'ENOSPC');
  const many = async () => {
    for (let n = 0; n < 1_000; n++) await appendText(second, TEXT, true);
  };
  await t.rejects(many(), { ...FULL, cause: { code: 'ENOSPC' } });
  t.equal(journal.state, 'full');
  faults.clear();
  await passOn(second, TEXT);
  commitAll(journal);
  await until('it is open', () => journal.state === 'open');
});

t.test(
  'an active segment of another size, larger than the limit, is followed by one of the new',
  async (t) => {
    const directory = temporaryDirectory(t);
    let journal = await openSmall(t, directory, { segmentBytes: 4 * SEGMENT_BYTES });
    await appendText(part(journal, 'first', 0), TEXT);
    await journal.close();
    journal = await openSmall(t, directory, { bytesMax: 2 * SEGMENT_BYTES });
    t.equal(journal.state, 'open');
    await fill(journal);
    commitAll(journal);
    await until('it is open', () => journal.state === 'open');
    await until('it is short', () => journal.stats().diskBytes <= 2 * SEGMENT_BYTES);
    t.ok(snapshotOf(directory).size <= 2);
  },
);

t.test('a journal that closes takes nothing more, and settles what passes on', async (t: Test) => {
  const journal = await openFull(t, temporaryDirectory(t));
  const second = part(journal, 'second', 0);
  const pending = Array.from({ length: 100 }, () => appendText(second, TEXT, true));
  const closed = journal.close();
  await t.rejects(appendText(second, TEXT, true), { code: 'TETHER_LOG_CLOSED' });
  await closed;
  const results = await Promise.allSettled(pending);
  const kept = results.filter(({ status }) => status === 'fulfilled').length;
  t.equal(kept, second.end);
  t.equal(kept, 100);
});
