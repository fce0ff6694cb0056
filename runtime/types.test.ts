/**
 * The types that hold actors and their senders together, as a user sees them. The compiler is the test: `Equal` fails to compile when
 * two types differ, and a `@ts-expect-error` fails when there is none.
 */
import t from 'tap';
import { type ActorContext, type ActorDefinition, defineActor } from './actor.js';
import type { ActorRef } from './actor-ref.js';
import type { Asks, Message, Question, ReplyOf } from './message.js';
import type { Probe } from './testing/probe.js';
import type { TestSystem, TestSystemOptions } from './testing/test-system.js';

type Equal<Left, Right> =
  (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false;
const holds = <_Claim extends true>() => {};

type Deposit = { readonly type: 'deposit'; readonly amount: number };
type Balance = { readonly type: 'balance' } & Asks<number>;
type Owner = { readonly type: 'owner'; readonly full: boolean } & Asks<{ readonly name: string }>;
type Account = Deposit | Balance | Owner;

const account = defineActor<Account, { balance: number }, { readonly db: string }>({
  type: 'account',
  scope: 'key',
  state: () => ({ balance: 0 }),
  open: () => ({ db: 'x' }),
  receive(messages, context) {
    holds<Equal<typeof context, ActorContext<{ balance: number }, { readonly db: string }, Account>>>();
    for (const message of messages) {
      switch (message.type) {
        case 'deposit':
          holds<Equal<typeof message.body, Deposit>>();
          context.state.balance += message.body.amount;
          // @ts-expect-error nobody asked
          message.reply(1);
          break;
        case 'balance':
          message.reply(context.state.balance);
          // @ts-expect-error a balance is a number
          message.reply('1');
          break;
        case 'owner':
          message.reply({ name: context.resources.db });
          // @ts-expect-error of the owner's form
          message.reply({ nom: 'x' });
          break;
        default:
          holds<Equal<typeof message, never>>();
      }
    }
    holds<Equal<typeof context.self, ActorRef<Account>>>();
    // @ts-expect-error the state has no such field
    context.state.nothing;
  },
});

/** Never called: its types are what is looked at. */
async function senders(system: TestSystem, context: ActorContext): Promise<void> {
  for (const ref of [system.ref(account, 'a'), context.ref(account, 'a')]) {
    holds<Equal<typeof ref, ActorRef<Account>>>();
    void ref.tell({ type: 'deposit', amount: 1 });
    await ref.tellDurably({ type: 'owner', full: true });
    const balance = await ref.ask({ type: 'balance' });
    holds<Equal<typeof balance, number>>();
    const owner = await ref.ask({ type: 'owner', full: true });
    holds<Equal<typeof owner, { readonly name: string }>>();
    // @ts-expect-error a deposit has an amount
    void ref.tell({ type: 'deposit' });
    // @ts-expect-error nobody knows this body
    void ref.tell({ type: 'withdraw', amount: 1 });
    // @ts-expect-error nor as a durable one
    await ref.tellDurably({ type: 'withdraw' });
    // @ts-expect-error a deposit asks nothing
    await ref.ask({ type: 'deposit', amount: 1 });
    // @ts-expect-error the question lacks a field
    await ref.ask({ type: 'owner' });
  }
  const asked: Balance | Owner = Math.random() < 0.5 ? { type: 'balance' } : { type: 'owner', full: true };
  const either = await system.ref(account, 'a').ask(asked);
  holds<Equal<typeof either, number | { readonly name: string }>>();
  const byName = system.ref<Account>('account', 'a');
  holds<Equal<typeof byName, ActorRef<Account>>>();
  const untyped = system.ref('account', 'a');
  holds<Equal<typeof untyped, ActorRef<unknown>>>();
  void untyped.tell({ anything: 1 });
  const anything = await untyped.ask({ anything: 1 });
  holds<Equal<typeof anything, unknown>>();
  const probe = system.probe(account);
  holds<Equal<typeof probe, Probe<Account>>>();
  const message = await probe.next(({ body }) => body.type === 'balance');
  holds<Equal<typeof message, Message<Account>>>();
  probe.replyWith(() => 1);
  // @ts-expect-error no question of the account is answered with that
  probe.replyWith(() => 'x');
}

t.test('types hold', async (t) => {
  holds<Equal<ReplyOf<Balance>, number>>();
  holds<Equal<ReplyOf<Deposit>, never>>();
  holds<Equal<ReplyOf<Account>, number | { readonly name: string }>>();
  holds<Equal<ReplyOf<unknown>, unknown>>();
  holds<Equal<ReplyOf<Asks<string | undefined>>, string | undefined>>();
  const all: TestSystemOptions['actors'] = [account, 'file:///actor.js'];
  t.equal(all.length, 2);
  holds<Equal<Question<Account>, Balance | Owner>>();
  holds<Equal<typeof account, ActorDefinition<Account, { balance: number }, { readonly db: string }>>>();
  // @ts-expect-error a scope of another name
  t.throws(() => defineActor({ type: 'x', scope: 'process', receive() {} }), TypeError);
  t.type(senders, 'function');
});
