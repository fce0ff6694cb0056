import fc from 'fast-check';
import t from 'tap';
import { type Clock, ManualClock } from '../clock.js';
import { testSeed } from '../testing/seed.js';
import { Deadline, Deadlines } from './deadlines.js';

const TICK_MS = 10;

class Probe extends Deadline {
  expiredAt: number | undefined;
  readonly #onExpire: (probe: Probe) => void;

  constructor(onExpire: (probe: Probe) => void) {
    super();
    this.#onExpire = onExpire;
  }

  expire(): void {
    this.#onExpire(this);
  }
}

/** A clock that can be set forward and back, as an operator or NTP does; its timers run on regardless. */
class JumpyClock implements Clock {
  readonly steady = new ManualClock(1_000_003);
  jumped = 0;

  now(): number {
    return this.steady.now() + this.jumped;
  }

  after(ms: number, action: () => void): () => void {
    return this.steady.after(ms, action);
  }
}

t.test('never early, at most a tick late, and counted: at random, with a clock that jumps', async (t) => {
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('set'),
        ms: fc.oneof(fc.nat(60), fc.nat(3_000), fc.nat(30_000)),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('lift'), ms: fc.nat() }) },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('pass'),
        ms: fc.oneof(fc.nat(15), fc.nat(200), fc.nat(12_000)),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('jump'), ms: fc.integer({ min: -20_000, max: 20_000 }) }),
    },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = new JumpyClock();
      const deadlines = new Deadlines(clock);
      /** With the time of the steady clock from which it is due. */
      const pending = new Map<Probe, number>();
      const problems: string[] = [];
      const onExpire = (probe: Probe) => {
        const { dueAt } = probe;
        if (clock.now() < dueAt) problems.push(`early: ${clock.now()} < ${dueAt}`);
        const late = clock.steady.now() - (pending.get(probe) ?? 0);
        if (late > TICK_MS) problems.push(`${late} ms late: ${dueAt}`);
        if (!pending.delete(probe)) problems.push('expired twice, or after it was lifted');
      };
      const dueSince = (probe: Probe) =>
        Math.max(clock.steady.now(), clock.steady.now() + probe.dueAt - clock.now());
      for (const { kind, ms } of steps) {
        if (kind === 'set') {
          const probe = new Probe(onExpire);
          deadlines.set(probe, ms);
          pending.set(probe, dueSince(probe));
        } else if (kind === 'lift' && pending.size > 0) {
          const probe = [...pending.keys()][ms % pending.size] as Probe;
          deadlines.lift(probe);
          deadlines.lift(probe);
          pending.delete(probe);
        } else if (kind === 'pass') {
          clock.steady.advance(ms);
        } else if (kind === 'jump') {
          clock.jumped += ms;
          for (const probe of pending.keys()) pending.set(probe, dueSince(probe));
        }
        for (const [{ dueAt }, since] of pending) {
          const late = clock.steady.now() - since;
          if (late > TICK_MS) problems.push(`${late} ms late: ${dueAt}`);
        }
        if (deadlines.size !== pending.size) problems.push(`size ${deadlines.size} of ${pending.size}`);
        if (problems.length > 0) throw new Error(problems.join('\n'));
      }
      clock.steady.advance(100_000);
      if (pending.size > 0 || deadlines.size > 0) throw new Error(`${pending.size} never expired`);
      if (clock.steady.pending > 0) throw new Error('the empty wheel still turns');
      return true;
    }),
    { seed: testSeed(t), numRuns: 300 },
  );
  t.pass();
});

t.test('one that expires may lift another, and set a new one', async (t) => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const expired: string[] = [];
  const lifted = [new Probe(() => expired.push('a')), new Probe(() => expired.push('b'))];
  for (const probe of lifted) deadlines.set(probe, 25);
  deadlines.set(
    new Probe(() => {
      expired.push('lifter');
      for (const probe of lifted) deadlines.lift(probe);
      deadlines.set(new Probe(() => expired.push('later')), 0);
    }),
    25,
  );
  clock.advance(40);
  t.strictSame(expired, ['lifter', 'later']);
  t.equal(deadlines.size, 0);
});

t.test('clear lifts all of them', async (t) => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  for (let ms = 0; ms < 10_000; ms += 100) deadlines.set(new Probe(() => t.fail('expired')), ms);
  deadlines.clear();
  t.equal(deadlines.size, 0);
  t.equal(clock.pending, 0);
  clock.advance(60_000);
});
