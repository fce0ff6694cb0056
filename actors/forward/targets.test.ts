import t from 'tap';
import { ManualClock } from '../../runtime/clock.js';
import { silentLogger } from '../../runtime/logger.js';
import { targetSchema } from './target-settings.js';
import { Targets } from './targets.js';
import { SECRET } from './test/receiver.js';

const settings = (name: string, timeoutMs = 1_000) =>
  targetSchema.parse({ name, url: 'https://hooks.example/', secrets: [SECRET], timeoutMs });

t.test(
  'a target whose settings are the same stays, with all that it knows; others are made anew',
  async (t) => {
    const outside = {
      resolve: async () => [],
      clock: new ManualClock(),
      random: () => 0,
      logger: silentLogger,
    };
    const targets = new Targets([settings('a'), settings('b'), settings('c')], outside);
    t.teardown(() => targets.close());
    const [a, b] = [targets.get('a'), targets.get('b')];
    targets.replace([settings('b', 2_000), settings('a'), settings('d')]);
    t.ok(a !== undefined && targets.get('a') === a);
    t.ok(targets.get('b') !== b);
    t.equal(targets.get('b')?.settings.timeoutMs, 2_000);
    t.equal(targets.get('c'), undefined);
    t.ok(targets.get('d'));
  },
);
