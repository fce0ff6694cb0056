import t from 'tap';
import { ManualClock } from '../clock.js';
import { settle } from '../kernel/test-kernel.js';
import type { FilledLimits } from '../limits.js';
import { silentLogger } from '../logger.js';
import { NodeShare } from '../pool/node-share.js';
import { SharedLimits } from '../pool/shared-limits.js';
import { quotasOf, ShareKeeper } from './share-keeper.js';
import type { Quota, ShareAnswer, ShareAsk, ShareStore } from './share-store.js';

/** What the tests below rely on. */
const TIMES = { ttlMs: 3_000, marginMs: 300, renewMs: 500, hurryMs: 100, lookMs: 50 };

interface Question {
  readonly ask: ShareAsk;
  answer(answer: Partial<ShareAnswer>): Promise<void>;
  fail(): Promise<void>;
}

/** A store that answers when the test does. */
class Asked implements ShareStore {
  questions: Question[] = [];
  readonly left: [Quota['kind'], number][] = [];

  ask(ask: ShareAsk): Promise<ShareAnswer> {
    return new Promise((resolve, reject) => {
      this.questions.push({
        ask,
        answer: async (answer) => {
          resolve({ units: 0, tokens: 0, contended: false, ...answer });
          await settle();
        },
        fail: async () => {
          reject(new Error('away'));
          await settle();
        },
      });
    });
  }

  async leave({ kind }: Quota, spare: number): Promise<void> {
    this.left.push([kind, spare]);
  }

  /** The only question that waits for an answer. */
  next(): Question {
    const [question, ...others] = this.questions;
    if (question === undefined || others.length > 0)
      throw new Error(`${this.questions.length} questions wait`);
    this.questions = [];
    return question;
  }
}

function keep({
  concurrencyMax = Number.POSITIVE_INFINITY,
  ratePerSecond = Number.POSITIVE_INFINITY,
  burst = 1,
}: Partial<FilledLimits>) {
  const limits = { concurrencyMax, ratePerSecond, burst };
  const shared = new SharedLimits(limits, 3);
  const share = new NodeShare(shared);
  const clock = new ManualClock(1_000);
  const store = new Asked();
  const keeper = new ShareKeeper({
    actor: 'a',
    share,
    quotas: quotasOf('a', limits, share.fillMs),
    store,
    clock,
    wallClock: clock,
    logger: silentLogger,
    policy: TIMES,
  });
  const [one, two] = [shared.attach(0), shared.attach(1)];
  keeper.start();
  return { share, clock, store, keeper, one, two };
}

t.test(
  'nothing before an answer; it counts from when it was asked for, and nothing after its end',
  async (t) => {
    const { share, clock, store, keeper, one } = keep({ concurrencyMax: 4 });
    t.match(store.questions[0]?.ask, {
      quota: { actor: 'a', kind: 'permits', units: 4 },
      held: 0,
      needed: 0,
    });
    t.equal(share.permits, 0);
    clock.advance(2_000);
    t.equal(store.questions.length, 1, 'one question at a time');
    await store.next().answer({ units: 3 });
    t.equal(share.permits, 3);
    t.ok(one.counts);
    t.equal(keeper.mode, 'holding');
    t.ok(one.take());
    clock.advance(650);
    t.equal(share.permits, 3);
    clock.advance(50);
    t.equal(keeper.mode, 'without', '2,700 ms after it was asked for');
    t.equal(share.permits, 1, 'the call that is under way goes on');
    t.notOk(one.counts);
    t.equal(one.take(), false);
    const again = store.questions.at(-1);
    await again?.fail();
    store.questions = [];
    clock.advance(100);
    t.equal(store.next().ask.held, 1, 'and is told');
  },
);

t.test('an answer that comes after its time is worth nothing', async (t) => {
  const { share, clock, store, keeper } = keep({ concurrencyMax: 4 });
  clock.advance(2_700);
  await store.next().answer({ units: 4 });
  t.equal(share.permits, 0);
  t.equal(keeper.mode, 'without');
  t.equal(store.next().ask.held, 0, 'it asks again');
});

t.test('what others need is told only when it has come back, and at once then', async (t) => {
  const { share, clock, store, one } = keep({ concurrencyMax: 4 });
  await store.next().answer({ units: 4 });
  t.ok(one.take() && one.take() && one.take());
  clock.advance(500);
  const lowered = store.next();
  t.match(lowered.ask, { held: 4, needed: 4 }, 'the most that were in use, and a quarter more');
  await lowered.answer({ units: 1 });
  t.equal(share.permits, 3);
  one.release();
  await settle();
  t.equal(share.permits, 2);
  t.equal(store.questions.length, 0);
  one.release();
  await settle();
  t.equal(share.permits, 1);
  t.equal(store.next().ask.held, 1);
});

t.test('it asks more often while somebody waits, here or elsewhere', async (t) => {
  const { clock, store, one, two } = keep({ concurrencyMax: 2 });
  await store.next().answer({ units: 1 });
  clock.advance(450);
  t.equal(store.questions.length, 0);
  clock.advance(50);
  await store.next().answer({ units: 1, contended: true });
  clock.advance(100);
  await store.next().answer({ units: 1 });
  t.ok(one.take());
  t.notOk(two.takeOrWait());
  clock.advance(100);
  const short = store.next();
  t.equal(short.ask.needed, 2);
  await short.answer({ units: 1 });
  one.release();
  t.ok(two.take());
  clock.advance(100);
  const after = store.next();
  t.equal(after.ask.needed, 2, 'it waited a moment ago');
  await after.answer({ units: 1 });
  for (let look = 0; look < 5 && store.questions.length === 0; look++) clock.advance(50);
  await store.questions[0]?.answer({ units: 1 });
  store.questions = [];
  two.release();
  clock.advance(450);
  for (const question of store.questions) await question.answer({ units: 1 });
  store.questions = [];
  clock.advance(500);
  t.equal(store.next().ask.needed, 0);
});

t.test('tokens go along with units, once', async (t) => {
  const { share, clock, store, keeper, one } = keep({ ratePerSecond: 10, burst: 4 });
  await store.next().answer({ units: 4, tokens: 3 });
  t.equal(one.rate?.take(9, clock.now()), 3);
  clock.advance(200);
  t.equal(one.rate?.take(1, clock.now()), 1);
  clock.advance(300);
  const question = store.next();
  t.match(question.ask, { held: 4, needed: 4, spare: 0 });
  // One is left of the first two tenths of a second, three came since.
  await question.answer({ units: 1 });
  t.equal(share.units, 1);
  const gave = store.next();
  t.equal(gave.ask.held, 1);
  t.ok(Math.abs(gave.ask.spare - 3) < 1e-6, `${gave.ask.spare} tokens went with three units`);
  await gave.fail();
  clock.advance(100);
  t.equal(store.next().ask.spare, 0, 'it may have been heard');
  await keeper.leave();
  t.equal(store.left.length, 1);
  t.equal(store.left[0]?.[0], 'tokens');
  t.ok(Math.abs((store.left[0]?.[1] ?? 0) - 1) < 1e-6, 'the one that is left goes back');
  t.equal(one.rate?.take(1, clock.now()), 0);
  t.equal(clock.pending, 0);
});

t.test('one answer of two is none', async (t) => {
  const { share, store } = keep({ concurrencyMax: 2, ratePerSecond: 10, burst: 4 });
  const [permits, tokens] = store.questions;
  t.strictSame([permits?.ask.quota.kind, tokens?.ask.quota.kind], ['permits', 'tokens']);
  await permits?.answer({ units: 2 });
  t.equal(share.permits, 0);
  await tokens?.fail();
  t.equal(share.permits, 0);
});
