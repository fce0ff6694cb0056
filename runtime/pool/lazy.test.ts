/** Pools whose threads start when there is something for them: real threads. */
import { randomUUID } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { encodeEnvelope } from '../envelope.js';
import type { ActorSystemOptions } from '../system-options.js';
import type { Tuned } from '../testing/actors/tunable.js';
import { MemoryLog } from '../testing/memory-log.js';
import { module, startSystem } from '../testing/system.js';
import { until } from '../testing/until.js';

t.setTimeout(120_000);

async function start(t: Test, options: Partial<ActorSystemOptions> = {}) {
  const channel = randomUUID();
  const said: Tuned[] = [];
  const listener = new BroadcastChannel(channel);
  listener.onmessage = (event) => said.push((event as { readonly data: Tuned }).data);
  t.teardown(() => listener.close());
  const settings = { channel, word: 'first' };
  const { system, tell, log } = await startSystem<Tuned>(t, 'tunable', {
    actors: [{ module: module('tunable'), threads: 2, lazy: true, settings }],
    ...options,
  });
  const modes = () => system.stats().actors[0]?.threads;
  const received = () => said.filter(({ event }) => event === 'received').length;
  return { system, tell, log, said, modes, received, settings };
}

const ASLEEP = ['asleep', 'asleep'];

t.test('they start with the first message, with the settings that hold by then', async (t) => {
  const { system, tell, modes, said, received, settings } = await start(t);
  t.strictSame(modes(), ASLEEP);
  await system.changeSettings('tunable', { ...settings, word: 'second' });
  await tell('1', 'ok');
  await until('it is handled', () => received() === 1, 30_000);
  await until('all are there', () => modes()?.every((mode) => mode === 'ready') ?? false, 30_000);
  t.strictSame([...new Set(said.map(({ word }) => word))], ['second']);
});

t.test('a message that is on the log at the start is one', async (t) => {
  const log = new MemoryLog(2);
  const payload = Buffer.from('ok');
  const id = randomUUID();
  const envelope = { id, actor: 'tunable', key: '1', dedupe: id, receivedAt: 0, traceparent: '', payload };
  log.open('tunable')[1]?.append(encodeEnvelope(envelope), { appended: () => {}, appendFailed: t.fail });
  await until('it is on the log', () => log.lag() === 1);
  const { received } = await start(t, { log });
  await until('it is handled', () => received() === 1, 30_000);
});

t.test(
  'so is what is told past the log, more threads, and what a paused pool has when it goes on',
  async (t) => {
    const told = await start(t);
    await told.system.ref('tunable', '1').tell({});
    await until('it is handled', () => told.received() === 1, 30_000);

    const grown = await start(t);
    await grown.system.resizePool('tunable', 3);
    await until('all are there', () => grown.modes()?.every((mode) => mode === 'ready') ?? false, 30_000);
    t.equal(grown.modes()?.length, 3);

    const paused = await start(t);
    paused.system.pausePool('tunable');
    await paused.tell('1', 'ok');
    t.strictSame(paused.modes(), ASLEEP);
    paused.system.resumePool('tunable');
    await until('it is handled', () => paused.received() === 1, 30_000);
  },
);

t.test('a partition that is adopted wakes them when it has something, and not else', async (t) => {
  const { system, tell, modes, received } = await start(t, { log: new MemoryLog(2), ownership: 'none' });
  system.adopt(0, () => 1);
  await tell('1', 'ok');
  t.strictSame(modes(), ASLEEP, 'what it has not to read is nothing');
  system.adopt(1, () => 1);
  await until('it is handled', () => received() === 1, 30_000);
});

t.test('a system whose threads sleep ends at once', async (t) => {
  const { system, modes } = await start(t);
  t.strictSame(modes(), ASLEEP);
  await system.drain(5_000);
  t.equal(system.mode, 'stopped');
  t.strictSame(modes() ?? [], ['ended', 'ended']);
});
