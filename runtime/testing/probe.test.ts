import t from 'tap';
import { defineActor } from '../actor.js';
import type { Asks } from '../message.js';
import { TestSystem } from './test-system.js';

type Mail = { readonly to: string } & Asks<'sent' | 'refused'>;
type Order = { readonly type: 'order' } | { readonly type: 'later' };

const shop = defineActor<Order>({
  type: 'shop',
  scope: 'key',
  async receive(messages, context) {
    for (const { body } of messages) {
      if (body.type === 'later') context.timers.after('later', 2_000, { type: 'order' });
      else await context.ref<Mail>('mailer', 'main').ask({ to: context.key });
    }
  },
});

async function start(t: Pick<typeof import('tap').default, 'teardown'>) {
  const system = await TestSystem.start({ actors: [shop] });
  t.teardown(() => system.stop());
  return { system, mailer: system.probe<Mail>('mailer') };
}

t.test('a probe stands in for an actor, records, and answers', async (t) => {
  const { system, mailer } = await start(t);
  mailer.replyWith(({ body }) => (body.to === 'a' ? 'sent' : 'refused'));
  await system.ref(shop, 'a').tellDurably({ type: 'order' });
  const message = await mailer.next();
  t.strictSame([message.body, message.key, message.asked], [{ to: 'a' }, 'main', true]);
  await system.settle();
  t.equal(system.lag, 0, 'the shop has its answer');
  t.equal(await mailer.ref().ask({ to: 'b' }), 'refused');
  mailer.replyWith(() => {
    throw new Error('no more');
  });
  await t.rejects(mailer.ref().ask({ to: 'b' }), { code: 'TETHER_ASK_FAILED', message: /no more/ });
  mailer.replyWith(async ({ body }) => (body.to === 'c' ? 'sent' : Promise.reject(new Error('not now'))));
  t.equal(await mailer.ref().ask({ to: 'c' }), 'sent');
  await t.rejects(mailer.ref().ask({ to: 'd' }), /not now/);
  t.strictSame(mailer.bodies, [{ to: 'a' }, { to: 'b' }, { to: 'b' }, { to: 'c' }, { to: 'd' }]);
});

t.test('next waits in the time of the system, and takes what matches', async (t) => {
  const { system, mailer } = await start(t);
  for (const key of ['a', 'b']) system.ref(shop, key).tell({ type: 'later' });
  const since = system.now;
  const second = await mailer.next(({ body }) => body.to === 'b');
  t.equal(system.now - since, 2_000);
  t.equal(second.body.to, 'b');
  const first = await mailer.next();
  t.equal(first.body.to, 'a');
  first.reply('sent');
  await t.rejects(mailer.next(undefined, { withinMs: 50 }), {
    name: 'ProbeError',
    message:
      "probe mailer got no message in 50 ms; it got 2 (2 returned by next before), the last: main <- { to: 'a' }; main <- { to: 'b' }",
  });
  t.equal(mailer.messages.length, 2);
});

t.test('the texts of failures', async (t) => {
  const { system, mailer } = await start(t);
  await t.rejects(mailer.next(), {
    message: 'probe mailer got no message in 3000 ms; it got nothing at all',
  });
  await mailer.silence(1_000);
  system.ref(shop, 'a').tell({ type: 'order' });
  await t.rejects(mailer.silence(1_000), {
    message:
      "probe mailer should get nothing for 1000 ms; it got 1 (0 returned by next before), the last: main <- { to: 'a' }",
  });
  await t.rejects(
    mailer.next(({ body }) => body.to === 'z'),
    { message: /no message that matches in 3000 ms/ },
  );
});

t.test('a probe lives through a crash, and takes durable messages', async (t) => {
  const { system, mailer } = await start(t);
  await mailer.ref('k').tellDurably({ to: 'a' });
  await mailer.next();
  await system.faults.crash();
  await mailer.ref('k').tellDurably({ to: 'b' });
  t.equal((await mailer.next()).body.to, 'b');
  t.equal(mailer.messages.length, 2);
});
