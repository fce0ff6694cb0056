/**
 * Limits of a group when its partition changes its owner: the group is with one owner, so its limits hold without anybody who shares them.
 * What a hand-over in order keeps is the number of calls; the bucket of a rate is full again at the new owner, as after a restart.
 */
import t, { type Test } from 'tap';
import type { Limits } from '../limits.js';
import type { MessageLog } from '../message-log.js';
import { partitionOf } from '../partition.js';
import {
  type LimitedSettings,
  limitedModule,
  MESSAGES,
  MOST,
  newGauge,
  timesOf,
} from '../testing/actors/limited.js';
import { MemoryLog } from '../testing/memory-log.js';
import { startSystem } from '../testing/system.js';
import { until } from '../testing/until.js';

t.setTimeout(60_000);

const GROUP = 'g';
const PARTITIONS = 4;

async function startTwo(t: Test, limits: Limits, callMs: number) {
  const log = new MemoryLog(PARTITIONS);
  const settings: LimitedSettings = { gauge: newGauge(10_000), callMs, began: Date.now() };
  const actors = [{ module: limitedModule(limits), threads: 2, settings }];
  const options = { log: log as MessageLog, ownership: 'none' as const, actors };
  const systems = [
    await startSystem(t, 'limited', options),
    await startSystem(t, 'limited', options),
  ] as const;
  const index = partitionOf(GROUP, PARTITIONS);
  systems[0].system.adopt(index, () => 1);
  let owner = 0;
  const handedOver: number[] = [];
  return {
    gauge: settings.gauge,
    handedOver,
    async tell(messages: number) {
      const told = [];
      for (let n = 0; n < messages; n++) {
        told.push(systems[0].system.ref('limited', `${GROUP}/${n % 20}`).tellDurably(n));
      }
      await Promise.all(told);
    },
    async handOver(how: 'giveUp' | 'drop') {
      const before = systems[owner % 2]?.system;
      owner++;
      if (how === 'giveUp') await before?.giveUp(index, 10_000);
      else before?.drop(index);
      handedOver.push(Date.now() - settings.began);
      const epoch = owner + 1;
      systems[owner % 2]?.system.adopt(index, () => epoch);
    },
  };
}

for (const how of ['giveUp', 'drop'] as const) {
  t.test(`${how}: calls of a group`, async (t) => {
    const { gauge, tell, handOver } = await startTwo(t, { perGroup: { concurrencyMax: 2 } }, 5);
    let told = 0;
    for (let n = 0; n < 8; n++) {
      await tell(40);
      told += 40;
      await until('some are handled', () => (gauge[MESSAGES] as number) > told - 30);
      await handOver(how);
    }
    await until('all are handled', () => (gauge[MESSAGES] as number) >= told);
    // After a drop, calls of the owner before may still be under way.
    if (how === 'giveUp') t.equal(gauge[MOST], 2);
    else t.ok((gauge[MOST] as number) <= 4);
    if (how === 'giveUp') t.equal(gauge[MESSAGES], told, 'each once');
  });
}

t.test('a hand-over allows one more burst of a group', async (t) => {
  const limits = { ratePerSecond: 100, burst: 10 };
  const { gauge, tell, handOver, handedOver } = await startTwo(t, { perGroup: limits }, 1);
  await tell(200);
  for (let n = 1; n <= 3; n++) {
    await until('some are handled', () => (gauge[MESSAGES] as number) > n * 40);
    await handOver('giveUp');
  }
  await until('all are handled', () => gauge[MESSAGES] === 200);
  const times = timesOf(gauge);
  const problems = times.flatMap((from, first) =>
    times.slice(first).flatMap((to, more) => {
      // A message is noted a moment after it took its token.
      const [begin, end] = [from - 20, to + 20];
      const buckets = 1 + handedOver.filter((at) => at >= begin && at <= end).length;
      const most = limits.burst * buckets + ((end - begin) * limits.ratePerSecond) / 1_000;
      return more + 1 > most ? [`${more + 1} in ${to - from} ms`] : [];
    }),
  );
  t.strictSame(problems, []);
});
