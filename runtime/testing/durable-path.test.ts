import t from 'tap';
import { defineActor } from '../actor.js';
import type { Asks } from '../message.js';
import type { AnyDefinition } from './around.js';
import { TestSystem } from './test-system.js';

async function start(t: Tap, { actors }: { readonly actors: readonly AnyDefinition[] }): Promise<TestSystem> {
  const system = await TestSystem.start({ actors });
  t.teardown(() => system.stop());
  return system;
}

type Tap = Pick<typeof t, 'teardown'>;

t.test('messages of one key keep their order behind one that fails', async (t) => {
  const seen: number[] = [];
  const list = defineActor<{ readonly n: number }>({
    type: 'list',
    scope: 'key',
    receive(messages) {
      for (const { body } of messages) seen.push(body.n);
    },
  });
  const system = await start(t, { actors: [list] });
  system.faults.failTimes(list, 2);
  for (let n = 0; n < 6; n++) await system.ref(list, 'a').tellDurably({ n });
  await system.advance(5_000);
  t.strictSame(seen, [0, 1, 2, 3, 4, 5]);
});

t.test('bytes as of an endpoint reach an actor that reads them', async (t) => {
  const texts: string[] = [];
  const watch = defineActor({
    type: 'watch',
    scope: 'thread',
    receive(messages) {
      for (const { payload, key } of messages) texts.push(`${key}: ${Buffer.from(payload)}`);
    },
  });
  const system = await start(t, { actors: [watch] });
  await system.append(watch, 'emp:1', 'status=approved');
  await system.settle();
  t.strictSame(texts, ['emp:1: status=approved']);
  t.match(system.trace, [/watch\/emp:1 <- 'status=approved' \(durable\)/]);
  system.faults.failTimes(watch, 5);
  await system.append(watch, 'emp:1', Buffer.from('bad\u00ff'));
  await system.advance(60_000);
  t.match(system.deadLetters, [{ body: Buffer.from('bad\u00ff') }]);
});

t.test('reminders are durable, and come when they are due', async (t) => {
  const nag = defineActor<{ readonly type: 'start' | 'due' | 'end' }, { due: number }>({
    type: 'nag',
    scope: 'key',
    async receive(messages, { reminders }) {
      for (const { body } of messages) {
        if (body.type === 'start')
          await reminders.set('r', { afterMs: 1_000, everyMs: 500 }, { type: 'due' });
        if (body.type === 'due') due++;
        if (body.type === 'end') t.equal(await reminders.cancel('r'), true);
      }
    },
  });
  let due = 0;
  const system = await start(t, { actors: [nag] });
  system.ref(nag, 'a').tell({ type: 'start' });
  await system.advance(999);
  t.equal(due, 0);
  await system.faults.crash();
  await system.advance(1_001);
  t.equal(due, 3);
  system.ref(nag, 'a').tell({ type: 'end' });
  await system.advance(5_000);
  t.equal(due, 3);
});

t.test(
  'many messages of many keys come once each and in order, in every order of events and past failures',
  async (t) => {
    for (let seed = 1; seed <= 20; seed++) {
      const byKey = new Map<string, number[]>();
      const take = (key: string, n: number) => byKey.set(key, [...(byKey.get(key) ?? []), n]);
      const sorted = (scope: 'key' | 'thread') =>
        defineActor<number>({
          type: `sorted-${scope}`,
          scope,
          async receive(messages, context) {
            await context.ref<Asks<void>>('pause', 'p').ask({});
            for (const { key, body } of messages) take(`${scope}-${key}`, body);
          },
        });
      const actors = [sorted('key'), sorted('thread')] as const;
      const retry = { attemptsMax: 100, delayMs: 10, delayMsMax: 100 };
      const system = await TestSystem.start({ actors, seed, retry });
      system.faults.chance({ fail: 0.2 });
      system.probe<Asks<void>>('pause').replyWith(() => undefined);
      system.faults.delayReplies('pause', 1, 20);
      // Later ones of a key come while its earlier ones are handled, wait for their backoff, and are tried again.
      for (let n = 0; n < 100; n++) {
        for (const actor of actors) await system.ref(actor, `${n % 3}`).tellDurably(n);
        await system.advance(3);
      }
      await system.advance(60_000);
      t.equal(system.lag, 0);
      t.equal(byKey.size, 6);
      for (const list of byKey.values())
        t.ok(list.every((n, at) => at === 0 || n === (list[at - 1] ?? 0) + 3));
      await system.stop();
    }
  },
);
