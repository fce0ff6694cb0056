/** A message that a later release wrote: it is neither lost nor skipped, and holds up its own partition alone. */
import t from 'tap';
import { encodeEnvelope } from '../envelope.js';
import type { MessageLog } from '../message-log.js';
import type { Recorded } from '../testing/actors/recorder.js';
import { MemoryLog } from '../testing/memory-log.js';
import { startSystem } from '../testing/system.js';
import { until } from '../testing/until.js';

t.setTimeout(60_000);

/** As the first release of it, but with another number in front. */
function laterEnvelope(): Uint8Array {
  const bytes = encodeEnvelope({
    id: 'later',
    actor: 'recorder',
    key: '1',
    dedupe: 'later',
    receivedAt: 1,
    traceparent: '',
    payload: Buffer.from('x'),
  });
  const later = Uint8Array.from(bytes);
  later[1] = 2;
  return later;
}

async function start(t: Parameters<typeof startSystem>[0], ownership: 'all' | 'none') {
  const log = new MemoryLog(4);
  const started = await startSystem<Recorded>(t, 'recorder', { log: log as MessageLog, ownership }, 1);
  const partition = log.open('recorder')[1];
  if (partition === undefined) throw new Error('there are four');
  return {
    ...started,
    partition,
    appendLater: () =>
      new Promise<number>((appended, appendFailed) =>
        partition.append(laterEnvelope(), { appended, appendFailed }),
      ),
    handled: () => started.said.flatMap(({ handled }) => handled.map(({ dedupe }) => dedupe)),
    stats: () => started.system.stats().actors[0],
  };
}

t.test('its partition waits from there on, and the others go on', async (t) => {
  const { tell, appendLater, handled, stats, stored, partition, system } = await start(t, 'all');
  await tell('1', 'x', 'before');
  await appendLater();
  // More than the thread's credit: were they kept there, it would get nothing else.
  await Promise.all(Array.from({ length: 5_000 }, (_, n) => tell('1', 'x', `behind ${n}`)));
  await Promise.all(Array.from({ length: 5_000 }, (_, n) => tell('2', 'x', `beside ${n}`)));
  await until('the others are handled', () => handled().length === 5_001);
  await until('nothing is in flight', () => stats()?.inFlight === 0);
  t.notOk(handled().some((name) => name.startsWith('behind')));
  t.equal(partition.committed, 1);
  t.match(stats(), { outage: 'TETHER_ENVELOPE_VERSION', unreadable: [1], broken: [] });
  t.strictSame(stored, []);

  // It keeps neither a lost thread from being replaced, nor poison from being found.
  await tell('2', 'exit', 'poison');
  await tell('2', 'x', 'after');
  await until('the poison is a dead letter', () => stored.length === 1, 30_000);
  await until('others are handled', () => handled().includes('after'));
  t.match(stored, [{ envelope: { dedupe: 'poison' } }]);
  t.equal(partition.committed, 1);
  t.match(stats(), { unreadable: [1], broken: [] });
  await system.drain(5_000);
});

for (const how of ['giveUp', 'drop'] as const) {
  t.test(`${how}: the next owner goes on with it, and this one with what comes after`, async (t) => {
    const { system, tell, appendLater, handled, stats, stored, partition } = await start(t, 'none');
    system.adopt(1, () => 1);
    await tell('1', 'x', 'before');
    await appendLater();
    await tell('1', 'x', 'behind');
    await until('it stands still', () => stats()?.unreadable.length === 1 && stats()?.inFlight === 0);
    if (how === 'giveUp') await system.giveUp(1, 5_000);
    else system.drop(1);
    t.match(stats(), { unreadable: [], outage: undefined });
    t.equal(partition.committed, 1, 'it was not skipped');

    system.adopt(1, () => 2);
    await until('it stands still again', () => stats()?.unreadable.length === 1);
    system.drop(1);
    // A process of the later release has it for a while.
    partition.commit(2);
    system.adopt(1, () => 4);
    await until('all is handled', () => partition.committed === 3 && handled().length === 2);
    t.match(stats(), { unreadable: [], outage: undefined });
    t.strictSame(handled(), ['before', 'behind']);
    t.strictSame(stored, []);
  });
}
