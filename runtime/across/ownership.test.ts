/** Partitions that change their owner, between two systems with real threads on one log. */
import t from 'tap';
import type { LogPartition, MessageLog } from '../message-log.js';
import type { Recorded } from '../testing/actors/recorder.js';
import { MemoryLog } from '../testing/memory-log.js';
import { MemoryReminders } from '../testing/memory-reminders.js';
import { startSystem } from '../testing/system.js';
import { until } from '../testing/until.js';

t.setTimeout(60_000);

const MESSAGES = 400;

for (const how of ['giveUp', 'drop'] as const) {
  t.test(`${how}: every message is handled, in the order of its key`, async (t) => {
    const log = new MemoryLog(4);
    const systems = [];
    // Each has its own hook, as two processes have; here they never own one partition at once.
    for (let n = 0; n < 2; n++) {
      systems.push(
        await startSystem<Recorded>(t, 'recorder', { log: log as MessageLog, ownership: 'none' }, 2),
      );
    }
    const [one, other] = systems;
    if (one === undefined || other === undefined) throw new Error('no systems');
    const partition = log.open('recorder')[1] as LogPartition;
    one.system.adopt(1, () => 1);
    let owner = one;
    let epoch = 1;
    for (let n = 0; n < MESSAGES; n++) {
      await one.tell('1', n % 50 === 9 ? 'wait:20' : 'x', `${n}`);
      if (n % 40 !== 10) continue;
      const next = owner === one ? other : one;
      if (how === 'giveUp') await owner.system.giveUp(1, 10_000);
      else owner.system.drop(1);
      owner = next;
      const now = ++epoch;
      owner.system.adopt(1, () => now);
    }
    await until('all is committed', () => partition.committed === MESSAGES);
    const handled = [...one.said, ...other.said].flatMap((said) => said.handled.map(({ dedupe }) => dedupe));
    await until(
      'all is said',
      () =>
        new Set([...one.said, ...other.said].flatMap((said) => said.handled.map(({ dedupe }) => dedupe)))
          .size === MESSAGES,
    );
    if (how === 'giveUp') t.equal(handled.length, MESSAGES, 'once');
    for (const { said, system } of systems) {
      const stats = system.stats().actors[0];
      t.equal(
        stats?.partitions.reduce((sum, count) => sum + count, 0),
        owner.system === system ? 1 : 0,
      );
      await until('nothing is in flight', () => system.stats().actors[0]?.inFlight === 0);
      if (how === 'drop') continue;
      const order = said.flatMap(({ handled }) => handled.map(({ dedupe }) => Number(dedupe)));
      t.strictSame(
        order,
        order.toSorted((a, b) => a - b),
        'in order',
      );
    }
  });
}

t.test('what waits in a thread is forgotten by a drop, and its credit comes back', async (t) => {
  const { system, log, tell, said } = await startSystem<Recorded>(t, 'recorder', { ownership: 'none' }, 1);
  const inFlight = () => system.stats().actors[0]?.inFlight;
  system.adopt(1, () => 1);
  await tell('1', 'wait:500', 'first');
  await until('it is sent', () => inFlight() === 1);
  for (let n = 0; n < 5; n++) await tell('1', 'x', `${n}`);
  await until('they wait behind it', () => inFlight() === 6);
  system.drop(1);
  await until('nothing is in flight', () => inFlight() === 0);
  t.equal(log.open('recorder')[1]?.committed, 0);
  system.adopt(1, () => 2);
  await until('all is committed', () => log.lag() === 0);
  await until('all is said', () => said.flatMap(({ handled }) => handled).length >= 7);
  const names = said.flatMap(({ handled }) => handled.map(({ dedupe }) => dedupe));
  t.strictSame(names, ['first', 'first', '0', '1', '2', '3', '4']);
});

t.test('of systems that share reminders, the one that has partition 0 sends them', async (t) => {
  const log = new MemoryLog(4);
  const reminders = new MemoryReminders();
  const options = { log: log as MessageLog, reminders, ownership: 'none' as const };
  const remind = (name: string) =>
    reminders.put({
      actor: 'recorder',
      key: 'k',
      name,
      dueAt: 1,
      everyMs: undefined,
      body: Buffer.from('x'),
    });
  const sent = () => log.lag() + log.open('recorder').reduce((sum, { committed }) => sum + committed, 0);
  await remind('1');
  const [one, other] = [await startSystem(t, 'recorder', options), await startSystem(t, 'recorder', options)];
  other.system.adopt(1, () => 1);
  await other.tell('1', 'x');
  await until('that is handled', () => log.lag() === 0);
  t.equal(sent(), 1, 'and no reminder was sent');
  one.system.adopt(0, () => 1);
  await until('it is sent', () => sent() === 2);
  // Not set by the one that sends: it looks.
  await remind('2');
  await until('it is found', () => sent() === 3);
  await one.system.giveUp(0, 5_000);
  other.system.adopt(0, () => 2);
  await remind('3');
  await until('by the other', () => sent() === 4);
  other.system.drop(0);
  one.system.adopt(0, () => 3);
  await remind('4');
  await until('and again by the first', () => sent() === 5);
});

t.test('a system that hosts nobody sends to the log', async (t) => {
  const log = new MemoryLog(4);
  const gateway = await startSystem(t, 'recorder', { log: log as MessageLog, hosts: false });
  t.strictSame(gateway.system.stats().actors, []);
  await gateway.system.ref('recorder', 'k').tellDurably('x');
  t.equal(log.lag(), 1);
  await t.rejects(gateway.system.ref('nobody', 'k').tellDurably('x'), { code: 'TETHER_ACTOR_UNKNOWN' });
});
