import t from 'tap';
import type { ActorDefinition } from '../actor.js';
import { fate, hostIn, manualKernel, settle } from './test-kernel.js';

interface Body {
  readonly n: number;
  readonly urgent?: boolean;
}

/** One actor that notes what it is handed, and is closed at first: nothing is handled before `open`. */
function fixture(definition: Partial<ActorDefinition<Body>> = {}, waitingMax = 1_000_000) {
  const { kernel, clock, told } = manualKernel({ waitingMax });
  const handled: number[][] = [];
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const host = hostIn<Body, unknown, unknown>(kernel, {
    type: 'tested',
    scope: 'key',
    batchMax: 64,
    async receive(messages) {
      handled.push(messages.map(({ body }) => body.n));
      for (const message of messages) if (message.asked) message.reply(message.body.n as never);
      await gate;
    },
    ...definition,
  });
  const ref = kernel.ref('tested', 'a');
  /** Occupies the actor. */
  const occupy = async () => {
    ref.tell({ n: -1 });
    await settle();
  };
  const drops = () => told('dropped').map(({ reason, count }) => [reason, count]);
  return { kernel, host, clock, ref, handled, open, occupy, drops };
}

t.test('backpressure: takes it, and promises room when half of it is gone', async (t) => {
  const { kernel, ref, handled, occupy, open, drops } = fixture({ mailboxMax: 4, batchMax: 1 }, 8);
  await occupy();
  for (let n = 0; n < 4; n++) t.equal(ref.tell({ n }), undefined);
  let room = false;
  const waits = ref.tell({ n: 4 });
  t.ok(waits instanceof Promise);
  void waits?.then(() => {
    room = true;
    t.ok(kernel.waiting <= 2, `${kernel.waiting} wait where there is room`);
  });
  for (let n = 5; n < 8; n++) t.ok(ref.tell({ n }), 'up to twice the limit');
  t.equal(await fate(ref.ask({ n: 8 })), 'TETHER_MAILBOX_FULL');
  t.ok(ref.tell({ n: 9 }), 'one that is dropped waits too');
  t.equal(kernel.waiting, 8);
  await settle();
  t.equal(room, false);
  open();
  await settle(20);
  t.equal(room, true);
  t.strictSame(handled.flat(), [-1, 0, 1, 2, 3, 4, 5, 6, 7]);
  t.strictSame(drops(), [['mailbox-full', 1]], 'a tell is counted, an ask told');
  t.equal(kernel.waiting, 0);
  t.equal(kernel.deadlines.size, 0);
});

t.test('reject: an ask fails, a tell is dropped and counted', async (t) => {
  const { kernel, ref, handled, occupy, open, drops } = fixture({ mailboxMax: 2, overflow: 'reject' });
  await occupy();
  for (let n = 0; n < 5; n++) t.equal(ref.tell({ n }), undefined);
  t.equal(await fate(ref.ask({ n: 5 })), 'TETHER_MAILBOX_FULL');
  open();
  await settle();
  t.strictSame(handled.flat(), [-1, 0, 1]);
  t.strictSame(drops(), [['mailbox-full', 3]]);
  t.equal(kernel.waiting, 0);
});

t.test('drop-oldest: the oldest goes, its asker told', async (t) => {
  const { kernel, ref, handled, occupy, open, drops } = fixture({ mailboxMax: 2, overflow: 'drop-oldest' });
  await occupy();
  const asked = fate(ref.ask({ n: 0 }));
  for (let n = 1; n < 5; n++) t.equal(ref.tell({ n }), undefined);
  t.equal(await asked, 'TETHER_MAILBOX_FULL');
  t.equal(kernel.waiting, 2);
  open();
  await settle();
  t.strictSame(handled.flat(), [-1, 3, 4]);
  t.strictSame(drops(), [['mailbox-full', 2]]);
});

t.test('all mailboxes of a thread together have a bound', async (t) => {
  const { kernel, ref, occupy, open, drops } = fixture({}, 10);
  await occupy();
  const other = kernel.ref('tested', 'b');
  for (let n = 0; n < 6; n++) ref.tell({ n });
  for (let n = 0; n < 6; n++) other.tell({ n });
  t.equal(kernel.waiting, 10);
  t.equal(await fate(ref.ask({ n: 9 })), 'TETHER_MAILBOX_FULL');
  open();
  await settle();
  t.equal(kernel.waiting, 0);
  t.strictSame(drops(), [['mailbox-full', 2]]);
});

t.test('urgent messages go before all others, in their own order', async (t) => {
  const { kernel, ref, handled, occupy, open } = fixture({ urgent: ({ urgent }) => urgent === true });
  await occupy();
  for (let n = 0; n < 3; n++) ref.tell({ n });
  for (let n = 3; n < 6; n++) ref.tell({ n, urgent: true });
  open();
  await settle();
  t.strictSame(handled, [[-1], [3, 4, 5], [0, 1, 2]]);
  t.equal(kernel.waiting, 0);
});

for (const overflow of ['backpressure', 'reject', 'drop-oldest'] as const) {
  t.test(
    `urgent messages count against the limit, and are urgent in a full mailbox: ${overflow}`,
    async (t) => {
      const urgent = ({ urgent }: Body) => urgent === true;
      const { kernel, ref, handled, occupy, open, drops } = fixture({ mailboxMax: 4, overflow, urgent }, 8);
      await occupy();
      for (let n = 0; n < 4; n++) ref.tell({ n });
      for (let n = 4; n < 20; n++) ref.tell({ n, urgent: true });
      t.equal(kernel.waiting, overflow === 'backpressure' ? 8 : 4);
      open();
      await settle();
      const expected = {
        backpressure: [-1, 4, 5, 6, 7, 0, 1, 2, 3],
        reject: [-1, 0, 1, 2, 3],
        'drop-oldest': [-1, 16, 17, 18, 19],
      };
      t.strictSame(handled.flat(), expected[overflow]);
      t.strictSame(drops(), [['mailbox-full', 20 - expected[overflow].length + 1]]);
      t.equal(kernel.waiting, 0);
    },
  );
}

t.test('an ask whose asker has given up is not handed over', async (t) => {
  const { kernel, clock, ref, handled, occupy, open } = fixture();
  await occupy();
  const expired = fate(ref.ask({ n: 0 }, { timeoutMs: 100 }));
  const controller = new AbortController();
  const aborted = fate(ref.ask({ n: 1 }, { signal: controller.signal }));
  const kept = fate(ref.ask({ n: 2 }));
  clock.advance(120);
  controller.abort(new Error('given up'));
  t.equal(await expired, 'TETHER_ASK_TIMEOUT');
  t.equal(await aborted, 'given up');
  open();
  await settle();
  t.equal(await kept, 2);
  t.strictSame(handled.flat(), [-1, 2]);
  t.equal(kernel.waiting, 0);
  t.equal(kernel.deadlines.size, 0);
});

t.test('a flood of urgent messages alone meets the limit', async (t) => {
  const urgent = () => true;
  const { kernel, ref, occupy, open, drops } = fixture({ mailboxMax: 4, overflow: 'reject', urgent });
  await occupy();
  for (let n = 0; n < 20; n++) ref.tell({ n });
  t.equal(kernel.waiting, 4);
  open();
  await settle();
  t.strictSame(drops(), [['mailbox-full', 16]]);
});
