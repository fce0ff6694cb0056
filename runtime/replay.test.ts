import t from 'tap';
import { partitionOf } from './partition.js';
import { replayDeadLetter } from './replay.js';
import type { DeadLetterMark, DeadLetterStore, StoredDeadLetter } from './stores/dead-letter.js';
import { MemoryLog } from './testing/memory-log.js';
import { undecodableId } from './undecodable.js';

const envelope = {
  id: 'id-1',
  actor: 'account',
  key: 'berlin:anna',
  dedupe: 'id-1',
  receivedAt: 0,
  traceparent: '',
  payload: Buffer.from('x'),
};

function fixture(letter: Partial<StoredDeadLetter> & { readonly envelope: typeof envelope }) {
  const log = new MemoryLog(64);
  const marked: string[] = [];
  const cause = { code: 'X', message: '', stack: '' };
  const stored = {
    cause,
    attempts: 1,
    deadAt: 5,
    state: 'waiting',
    replayedAt: undefined,
    droppedAt: undefined,
    droppedBy: undefined,
    ...letter,
  } as const;
  const store = {
    get: async (id: string) => (id === stored.envelope.id ? stored : undefined),
    settle: async (marks: readonly DeadLetterMark[]) =>
      marked.push(...marks.map(({ id, deadAt }) => `${id} ${deadAt}`)),
  } as unknown as DeadLetterStore;
  const group = (_actor: string, key: string) => key.split(':')[0] ?? key;
  const filled = () => log.open('account').flatMap(({ index, end }) => (end > 0 ? [index] : []));
  return { marked, filled, replay: (id: string) => replayDeadLetter(id, { store, log, group }) };
}

t.test('it goes to the partition of its group, and is marked', async (t) => {
  const { replay, filled, marked } = fixture({ envelope });
  t.equal(await replay('id-1'), true);
  t.strictSame(filled(), [partitionOf('berlin', 64)]);
  t.not(partitionOf('berlin', 64), partitionOf('berlin:anna', 64), 'its key alone is elsewhere');
  t.strictSame(marked, ['id-1 5']);
});

t.test('one that could not be decoded goes to where it was', async (t) => {
  const id = undecodableId({ actor: 'account', partition: 7, offset: 3 }, envelope.payload);
  const { replay, filled } = fixture({ envelope: { ...envelope, id } });
  t.equal(await replay(id), true);
  t.strictSame(filled(), [7]);
});

t.test('what is not there, or does not wait, stays', async (t) => {
  const { replay, filled } = fixture({ envelope, state: 'replayed' });
  t.equal(await replay('id-1'), false);
  t.equal(await replay('id-2'), false);
  t.strictSame(filled(), []);
});
