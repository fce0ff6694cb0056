import t from 'tap';
import { ManualClock } from '../runtime/clock.js';
import { AnswersFirst } from './answers-first.js';

const DEFER_MS_MAX = 300;

/** A main thread that does as it is told: shares of the time on a core and waiting for one, and whether webhooks come. */
function world() {
  const clock = new ManualClock(0);
  const times = { ranMs: 5, waitedMs: 5 };
  const seen = { shut: false, openings: 0, closed: false, broken: false, acknowledged: 0 };
  const answers = new AnswersFirst({
    gate: {
      shut: () => {
        seen.shut = true;
      },
      open: () => {
        seen.shut = false;
        seen.openings++;
      },
    },
    schedule: {
      read: () => {
        if (seen.broken) throw new Error('EIO');
        return { ...times };
      },
      close: () => {
        seen.closed = true;
      },
    },
    acknowledged: () => seen.acknowledged,
    deferMsMax: DEFER_MS_MAX,
    clock,
  });
  /** One look later. */
  const look = (ran: number, waits: number, webhooks = true) => {
    times.ranMs += 20 * ran;
    times.waitedMs += 20 * waits;
    if (webhooks) seen.acknowledged += 700;
    clock.advance(20);
  };
  return { answers, look, seen, clock };
}

t.test('deliveries are deferred while webhooks come and the main thread waits for a core', async (t) => {
  const { answers, look, seen } = world();
  look(0.1, 0);
  look(0.95, 0);
  t.equal(answers.mode, 'open', 'busy, but it has its core');
  look(0.5, 0.2);
  t.equal(answers.mode, 'open', 'it rests');
  look(0.7, 0.3, false);
  t.equal(answers.mode, 'open', 'what keeps it busy is no webhooks');
  look(0.7, 0.3);
  t.equal(answers.mode, 'deferring');
  t.ok(seen.shut);
  for (let n = 0; n < 5; n++) look(0.6, 0.1);
  t.equal(answers.mode, 'deferring');
  look(0.1, 0);
  t.equal(answers.mode, 'deferring', 'a sync that takes long looks like this');
  look(0.8, 0.1);
  look(0.1, 0);
  t.equal(answers.mode, 'deferring');
  look(0.1, 0);
  t.equal(answers.mode, 'open');
  t.notOk(seen.shut);
  t.equal(answers.deferredMs, 9 * 20);
});

t.test('it ends when no webhooks come any more, however busy the thread is', async (t) => {
  const { answers, look, seen } = world();
  look(0.7, 0.3);
  t.ok(seen.shut);
  look(0.7, 0.3, false);
  look(0.7, 0.3, false);
  t.equal(answers.mode, 'open');
  t.notOk(seen.shut);
});

t.test('it is bounded, and does not begin again before there was a rest', async (t) => {
  const { answers, look, seen } = world();
  look(0.7, 0.3);
  for (let at = 0; at < DEFER_MS_MAX; at += 20) {
    t.ok(seen.shut);
    look(0.7, 0.3);
  }
  t.equal(answers.mode, 'spent');
  t.notOk(seen.shut);
  for (let n = 0; n < 100; n++) look(0.7, 0.3);
  look(0.1, 0);
  look(0.7, 0.3);
  t.notOk(seen.shut);
  t.equal(seen.openings, 1);
  t.equal(answers.deferredMs, DEFER_MS_MAX);
  look(0.1, 0);
  look(0.1, 0);
  t.equal(answers.mode, 'open');
  look(0.7, 0.3);
  t.ok(seen.shut);
  t.equal(answers.deferredMs, DEFER_MS_MAX, 'it has just begun');
});

t.test('nothing stays deferred when it stops, or cannot tell any more', async (t) => {
  const { answers, look, seen, clock } = world();
  look(0.7, 0.3);
  answers.stop();
  answers.stop();
  t.notOk(seen.shut);
  t.ok(seen.closed);
  t.equal(clock.pending, 0);
  const other = world();
  other.look(0.7, 0.3);
  other.seen.broken = true;
  other.look(0.7, 0.3);
  t.equal(other.answers.mode, 'stopped');
  t.notOk(other.seen.shut);
  t.equal(other.clock.pending, 0);
});
