/** The gateway on a real journal: what was answered is on the disk. */
import t from 'tap';
import { decodeEnvelope } from '../runtime/envelope.js';
import { frameItems } from '../runtime/frame.js';
import type { LogPartition } from '../runtime/message-log.js';
import { partitionOf } from '../runtime/partition.js';
import { openJournal } from '../storage/journal/index.js';
import { notification, startTestGateway } from './test/start.js';

const MESSAGES = 200;
const READ_BYTES = 1024 * 1024;

async function keysOf(partition: LogPartition): Promise<string[]> {
  const keys: string[] = [];
  for (let offset = 0; offset < partition.end; ) {
    const frames = await partition.read(offset, READ_BYTES);
    for (const { body } of frames) for (const item of frameItems(body)) keys.push(decodeEnvelope(item).key);
    const last = frames.at(-1);
    if (last === undefined) throw new RangeError(`nothing to read at ${offset} of ${partition.end}`);
    offset = last.offset + last.count;
  }
  return keys;
}

t.test('what was acknowledged is there after a restart', async (t) => {
  const directory = t.testdir();
  const journal = await openJournal({ directory, partitions: 4 });
  const { gateway, post } = await startTestGateway(t, { partitions: (actor) => journal.open(actor) });
  const answers = await Promise.all(Array.from({ length: MESSAGES }, (_, i) => post(notification(`id${i}`))));
  t.ok(answers.every(({ status }, i) => status === 200 && answers[i]?.body.includes(`<unique_id>id${i}<`)));
  t.equal(gateway.pending, 0);
  await gateway.drain(1000);
  await journal.close();

  const reopened = await openJournal({ directory, partitions: 4 });
  t.teardown(() => reopened.close());
  const keys = (await Promise.all(reopened.open('payment').map(keysOf))).flat();
  t.same(new Set(keys), new Set(Array.from({ length: MESSAGES }, (_, i) => `emp:id${i}`)));
  t.equal(keys.length, MESSAGES);
});

t.test('a closed journal is a 503', async (t) => {
  const journal = await openJournal({ directory: t.testdir(), partitions: 1 });
  const { gateway, post } = await startTestGateway(t, { partitions: (actor) => journal.open(actor) });
  await journal.close();
  const response = await post(notification('aa01'));
  t.match(response, { status: 503, headers: { 'retry-after': /^\d+$/ } });
  t.match(JSON.parse(response.body), { type: 'urn:tether:problem:log-closed' });
  t.equal(gateway.pending, 0);
});

t.test('the keys of a group are in one partition', async (t) => {
  const journal = await openJournal({ directory: t.testdir(), partitions: 8 });
  t.teardown(() => journal.close());
  const partitions = (actor: string) => journal.open(actor);
  const { post } = await startTestGateway(t, { partitions, group: () => () => 'one group' });
  for (let i = 0; i < 20; i++) t.equal((await post(notification(`id${i}`))).status, 200);
  const counts = (await Promise.all(journal.open('payment').map(keysOf))).map(({ length }) => length);
  t.equal(counts[partitionOf('one group', 8)], 20);
});
