import { join } from 'node:path';
import t from 'tap';
import { letter, testDeadLetterStore } from '../dead-letter-contract.js';
import { temporaryDirectory } from '../journal/testing.js';
import { openFolder } from './open.js';

testDeadLetterStore(t, async (t, now) => {
  const folder = await openFolder({ directory: join(temporaryDirectory(t), 'folder'), now });
  t.teardown(() => folder.close());
  return folder.deadLetters;
});

t.test('letters, their states and their order survive closing', async (t) => {
  const directory = temporaryDirectory(t);
  const folder = await openFolder({ directory, now: () => 77 });
  const letters = [letter({}, 3), letter({}, 1), letter({}, 2)];
  await folder.deadLetters.put(letters);
  await folder.deadLetters.settle([{ id: letters[0]?.envelope.id ?? '', deadAt: 3 }], { state: 'replayed' });
  await folder.deadLetters.settle([{ id: letters[2]?.envelope.id ?? '', deadAt: 2 }], {
    state: 'dropped',
    by: 'anna',
  });
  const before = await folder.deadLetters.list({ limit: 10 });
  t.strictSame(
    before.map(({ deadAt, state }) => [deadAt, state]),
    [
      [1, 'waiting'],
      [2, 'dropped'],
      [3, 'replayed'],
    ],
  );
  await folder.close();
  const again = await openFolder({ directory });
  t.teardown(() => again.close());
  t.strictSame(await again.deadLetters.list({ limit: 10 }), before);
  t.equal(await again.deadLetters.count(), 1);
  t.strictSame(await again.deadLetters.get(letters[0]?.envelope.id ?? ''), before[2]);
});
