/** Settings of an actor that change while its threads work. */
import { randomUUID } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { ActorSystem } from '../actor-system.js';
import { silentLogger } from '../logger.js';
import type { ActorSystemOptions } from '../system-options.js';
import type { Recorded } from '../testing/actors/recorder.js';
import type { TunableSettings, Tuned } from '../testing/actors/tunable.js';
import { MemoryLog } from '../testing/memory-log.js';
import { module, startSystem } from '../testing/system.js';
import { until } from '../testing/until.js';

t.setTimeout(120_000);

async function start(t: Test, threads: number, options: Partial<ActorSystemOptions> = {}, query = '') {
  const channel = randomUUID();
  const said: Tuned[] = [];
  const listener = new BroadcastChannel(channel);
  listener.onmessage = (event) => said.push((event as { readonly data: Tuned }).data);
  t.teardown(() => listener.close());
  const settings = (word: string, more: Partial<TunableSettings> = {}) => ({ channel, word, ...more });
  const actors = [{ module: `${module('tunable')}${query}`, threads, settings: settings('first') }];
  const started = await startSystem<Tuned>(t, 'tunable', { actors, ...options });
  const ready = async (count: number) => {
    const modes = () => started.system.stats().actors[0]?.threads ?? [];
    await until(
      'its threads are ready',
      () => modes().filter((mode) => mode === 'ready').length === count,
      60_000,
    );
  };
  await ready(threads);
  const change = (word: string, more: Partial<TunableSettings> = {}) =>
    started.system.changeSettings('tunable', settings(word, more));
  const heard = (event: Tuned['event']) => said.filter((one) => one.event === event);
  return { ...started, said, heard, ready, change };
}

t.test(
  'every thread has the new settings when the change resolves; those that start later open with them',
  async (t) => {
    const { system, heard, change, ready, tell, log } = await start(t, 2);
    await change('second');
    await until('all is said', () => heard('configured').length === 2);
    t.same(new Set(heard('configured').map(({ thread }) => thread)), new Set([0, 1]));
    await system.resizePool('tunable', 3);
    await ready(3);
    await until('it is open', () => heard('opened').length === 3);
    t.match(heard('opened').at(-1), { word: 'second' });
    t.equal(heard('configured').length, 2, 'the new one needs no telling');
    await tell('1', 'exit');
    await until(
      'another thread takes the place of the one that ended',
      () => heard('opened').length >= 4,
      60_000,
    );
    t.strictSame(
      [
        ...new Set(
          heard('opened')
            .slice(2)
            .map(({ word }) => word),
        ),
      ],
      ['second'],
    );
    await until('its message is given up', () => log.lag() === 0, 60_000);
  },
);

t.test('a change waits for the call under way, and the next call waits for it', async (t) => {
  const { heard, change, tell, log } = await start(t, 1);
  await tell('1', 'wait:150');
  await until('the call is under way', () => heard('waits').length === 1);
  const first = change('second', { does: 100 });
  await tell('1', 'ok');
  t.equal(heard('configured').length, 0);
  await first;
  await until('all is handled', () => log.lag() === 0);
  await until('all is said', () => heard('received').length >= 2);
  t.strictSame(
    heard('received').map(({ word, after }) => [word, after]),
    [
      ['first', 'first'],
      ['second', 'second'],
    ],
    'no call has seen both',
  );
});

t.test('in scope key, a call that waits goes on with what it took, and holds up no change', async (t) => {
  const { heard, change, tell } = await start(t, 1, {}, '?scope=key');
  await tell('1', 'wait:500');
  await tell('2', 'ok');
  await until('one is handled', () => heard('received').length === 1);
  await change('second');
  t.equal(heard('received').length, 1);
  await until('the other too', () => heard('received').length === 2);
  t.match(heard('received').at(-1), { word: 'first', after: 'second' });
});

t.test('changes hold in their order, under load, and the last of them in the end', async (t) => {
  const { heard, change, tell, log } = await start(t, 2);
  const changes: Promise<void>[] = [];
  for (let n = 1; n <= 100; n++) {
    changes.push(change(`${n}`, n % 10 === 0 ? { does: 1 } : {}));
    await tell(`${n % 8}`, 'ok');
  }
  await Promise.all(changes);
  await until('all is handled', () => log.lag() === 0);
  await tell('0', 'ok');
  await tell('1', 'ok');
  await until('all is handled', () => log.lag() === 0);
  for (const thread of [0, 1]) {
    const words = heard('configured')
      .filter((one) => one.thread === thread)
      .map(({ word }) => Number(word));
    t.ok(words.length > 0);
    t.ok(
      words.every((word, at) => at === 0 || word > (words[at - 1] ?? 0)),
      `thread ${thread}: ${words}`,
    );
    t.equal(words.at(-1), 100);
  }
  t.ok(heard('received').every(({ word, after }) => word === after));
});

t.test('a hook that throws is told of; the thread keeps what it had, the others have the new', async (t) => {
  const lines: string[] = [];
  const logger = { ...silentLogger, error: (_: object, message: string) => void lines.push(message) };
  const { heard, change, tell, log } = await start(t, 2, { logger });
  await t.rejects(change('second', { does: 'throw', only: 1 }), {
    code: 'TETHER_ACTOR_SETTINGS',
    retryable: true,
    message: /^tunable keeps the settings it had in thread 1: told to refuse second \(/,
  });
  t.match(lines, [/refuses its new settings/]);
  for (let key = 0; key < 8; key++) await tell(`${key}`, 'ok');
  await until('all is handled', () => log.lag() === 0);
  await until('both have worked', () => new Set(heard('received').map(({ thread }) => thread)).size === 2);
  for (const { thread, word } of heard('received')) t.equal(word, thread === 1 ? 'first' : 'second');
  await change('third');
  await until('both have it', () => heard('configured').filter(({ word }) => word === 'third').length === 2);
});

t.test(
  'a hook that does not return costs its thread, and the next one opens with the new settings',
  async (t) => {
    const { heard, change, ready } = await start(t, 1, { receiveMsMax: 400 });
    await change('second', { does: 'hang' });
    await until('another thread is open', () => heard('opened').length === 2, 60_000);
    t.match(heard('opened').at(-1), { word: 'second' });
    await ready(1);
  },
);

t.test('what is refused changes nothing', async (t) => {
  const { system, heard, change } = await start(t, 1);
  const recorder = await startSystem<Recorded>(t, 'recorder', {}, 1);
  await t.rejects(recorder.system.changeSettings('recorder', {}), {
    code: 'TETHER_POOL_REQUEST',
    message:
      'the settings of actor recorder cannot be changed while it runs: its definition has no configure',
  });
  await t.rejects(system.changeSettings('none', {}), { code: 'TETHER_POOL_REQUEST' });
  await t.rejects(system.changeSettings('tunable', { word: () => {} }), {
    code: 'TETHER_POOL_REQUEST',
    message: 'the settings of actor tunable cannot be sent to a thread',
  });
  const given = { channel: '', word: 'mine' };
  const changed = system.changeSettings('tunable', given);
  given.word = 'changed later';
  await changed;
  await until('it is said', () => heard('configured').length === 1);
  t.match(heard('configured'), [{ word: 'mine' }]);
  await system.drain(5_000);
  await t.rejects(change('late'), { code: 'TETHER_POOL_REQUEST', message: /stopped/ });
  const before = new ActorSystem({
    log: new MemoryLog(1),
    deadLetters: { put: async () => {} },
    actors: [module('tunable')],
    logger: silentLogger,
  });
  await t.rejects(before.changeSettings('tunable', {}), { code: 'TETHER_POOL_REQUEST' });
});
