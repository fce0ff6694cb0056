import t from 'tap';
import { defineActor } from '../actor.js';
import type { SnapshotStore } from '../stores/snapshot.js';
import { Snapshots } from './snapshots.js';
import { States } from './states.js';
import { testKernel } from './test-kernel.js';

t.test('what changes while a state is stored is still to be stored', async (t) => {
  const policy = { version: 1, when: 'passivation' } as const;
  const definition = defineActor({
    type: 'slow',
    scope: 'key',
    state: () => 0,
    snapshot: policy,
    receive() {},
  });
  const stored: (() => void)[] = [];
  const store: SnapshotStore = {
    load: async () => undefined,
    save: () => new Promise((resolve) => stored.push(resolve)),
    delete: async () => {},
    close: async () => {},
  };
  const { codec } = testKernel();
  const states = new States(
    definition,
    new Snapshots({ type: 'slow', policy, store, log: '', codec }),
    () => undefined,
  );
  const activation = {
    key: '1',
    state: 1,
    loaded: true,
    opened() {},
    progress: undefined,
    changes: 1,
    stored: 0,
  };
  const first = states.save(activation);
  activation.changes++;
  stored[0]?.();
  await first;
  t.match(activation, { changes: 2, stored: 1 });
  const second = states.saveAll([activation]);
  stored[1]?.();
  await second;
  t.match(activation, { changes: 2, stored: 2 });
  await states.saveAll([activation]);
  t.equal(stored.length, 2, 'there is nothing to store');
});
