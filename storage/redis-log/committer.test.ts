import t from 'tap';
import { ManualClock } from '../../runtime/clock.js';
import { silentLogger } from '../../runtime/logger.js';
import { Committer } from './committer.js';
import { LogKeys } from './keys.js';
import { RedisPartition } from './partition.js';

for (const isLeft of [false, true]) {
  t.test(
    `an offset that could not be written down ${isLeft ? 'is forgotten with its reader' : 'is written later'}`,
    async (t) => {
      const failures: ((error: Error) => void)[] = [];
      const clock = new ManualClock();
      const committer = new Committer({
        scripts: { commit: () => new Promise((_, reject) => failures.push(reject)) },
        clock,
        logger: silentLogger,
      });
      const partition = new RedisPartition(
        {
          admit: () => undefined,
          admitPassedOn: () => undefined,
          touched: () => {},
          committed: (committed) => committer.committed(committed),
          read: async () => [],
        },
        { actor: 'a', index: 0, keys: new LogKeys('t').of('a', 0) },
        { end: 3, committed: 0 },
      );
      partition.epoch = 7;
      partition.commit(2);
      clock.advance(1_000);
      t.equal(failures.length, 1);
      if (isLeft) {
        // As `RedisLog.abandon` does, while the offset is on its way.
        committer.forget(partition);
        partition.epoch = 0;
      }
      failures[0]?.(new Error('Redis is away'));
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1_000);
      t.equal(failures.length, isLeft ? 1 : 2);
    },
  );
}
