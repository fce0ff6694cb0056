import t from 'tap';
import { SettingsChanges } from './settings-changes.js';

const CAUSE = { code: 'X', message: 'no', stack: '' };

t.test('a change is taken when every thread has answered it, or a later one, or has ended', async (t) => {
  const changes = new SettingsChanges('a');
  t.equal(changes.version, 0);
  const first = changes.begin([0, 1, 2]);
  const second = changes.begin([0, 1]);
  t.strictSame([first.version, second.version, changes.version], [1, 2, 2]);
  let taken = 0;
  for (const change of [first, second]) change.taken.then(() => taken++);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  changes.answered(0, { version: 1, cause: undefined });
  changes.answered(0, { version: 2, cause: undefined });
  changes.answered(1, { version: 1, cause: undefined });
  await turn();
  t.equal(taken, 0);
  changes.gone(2);
  await turn();
  t.equal(taken, 1, 'the first');
  changes.answered(1, { version: 2, cause: undefined });
  await second.taken;
  await changes.begin([]).taken;
});

t.test(
  'a refusal is told when all have answered; of one that was passed over, with that of the later one',
  async (t) => {
    const changes = new SettingsChanges('a');
    const first = changes.begin([0, 1]);
    const second = changes.begin([0, 1]);
    changes.answered(0, { version: 2, cause: CAUSE });
    changes.answered(1, { version: 2, cause: undefined });
    for (const { taken } of [first, second]) {
      await t.rejects(taken, { message: 'a keeps the settings it had in thread 0: no (X)' });
    }
  },
);

t.test('changes that nobody takes have a bound', async (t) => {
  const changes = new SettingsChanges('a');
  for (let n = 0; n < 1_000; n++) changes.begin([0]);
  t.throws(() => changes.begin([0]), { code: 'TETHER_POOL_REQUEST' });
  t.equal(changes.version, 1_000);
  changes.gone(0);
  t.equal(changes.begin([0]).version, 1_001);
});
