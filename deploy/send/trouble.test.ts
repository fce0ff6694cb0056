import t from 'tap';
import { Trouble, troubleText } from './trouble.js';

const failed = (endedMs: number, outcome = 'ECONNREFUSED', startedMs = endedMs) => ({
  outcome,
  acknowledged: false,
  startedMs,
  endedMs,
});
const acknowledged = (endedMs: number) => ({
  outcome: '200',
  acknowledged: true,
  startedMs: endedMs,
  endedMs,
});

t.test('what lasts is told once for each kind, and ends everything at the limit', async (t) => {
  const trouble = new Trouble(10_000);
  t.same(trouble.after(failed(0)), { tell: false, giveUp: false });
  t.same(trouble.after(failed(2999)), { tell: false, giveUp: false });
  t.same(trouble.after(failed(3000)), { tell: true, giveUp: false });
  t.same(trouble.after(failed(4000)), { tell: false, giveUp: false });
  t.same(trouble.after(failed(4000, '503')), { tell: true, giveUp: false });
  t.same(trouble.after(failed(10_000)), { tell: false, giveUp: true });
});

t.test('an acknowledgement ends it', async (t) => {
  const trouble = new Trouble(10_000);
  trouble.after(failed(0));
  t.same(trouble.after(acknowledged(9000)), { tell: false, giveUp: false });
  t.same(trouble.after(failed(10_000)), { tell: false, giveUp: false });
  t.same(trouble.after(failed(20_000)), { tell: true, giveUp: true }, 'from the failure, not from the pause');
});

t.test(
  'a silent node: the attempt counts from its start, or from the acknowledgement within it',
  async (t) => {
    t.equal(new Trouble(10_000).after(failed(10_000, 'timeout', 0)).giveUp, true);
    const trouble = new Trouble(10_000);
    trouble.after(acknowledged(5000));
    t.equal(trouble.after(failed(10_000, 'timeout', 0)).giveUp, false);
  },
);

t.test('every outcome has a sentence that names the node', async (t) => {
  for (const outcome of [
    '200',
    '404',
    '503',
    'echo',
    'timeout',
    'ECONNREFUSED',
    'UND_ERR_SOCKET',
    'EAI_AGAIN',
    'x',
  ])
    t.match(troubleText(outcome, 'node:1'), /node:1/, outcome);
  t.equal(troubleText('ECONNREFUSED', '127.0.0.1:1'), '127.0.0.1:1 refuses connections');
});
