/** A trial against a pool in memory, that is as fast as its settings say. */
import t from 'tap';
import { judge, runTrial, type TriedPool } from './trial.js';

const FORMER = { min: 1, max: 1, batchMax: 100, lingerMs: 0, inFlightMax: 2_048 };
const CHANGE = { min: 2, max: 2 };

function poolOf(differs = false) {
  let settings = { ...FORMER };
  const calls: string[] = [];
  let failing: Error | undefined;
  const pool: TriedPool = {
    async read() {
      if (failing) throw failing;
      return { settings: { ...settings }, differs };
    },
    async set(change) {
      calls.push(`set ${JSON.stringify(change)}`);
      settings = { ...settings, ...change };
    },
    async reset() {
      calls.push('reset');
      settings = { ...FORMER };
    },
    async settled() {},
  };
  return {
    pool,
    calls,
    now: () => settings,
    others: (change: object) => {
      settings = { ...settings, ...change };
    },
    fail: (error: Error) => {
      failing = error;
    },
  };
}

const rounds = (former: readonly number[], changed: readonly number[]) =>
  former.flatMap((value, at) => [
    { kind: 'former' as const, donePerSecond: value },
    { kind: 'new' as const, donePerSecond: changed[at] ?? 0 },
  ]);

t.test('better is what is better by more than the rounds differ', async (t) => {
  const cases = [
    [[100, 104], [150, 155], true],
    [[100, 104], [101, 105], false],
    [[100, 140], [150, 155], false],
    [[100, 100, 140], [135, 160, 185], false],
    [[100, 101], [104, 104], false],
    [[100, 100], [90, 300], false],
    [[100, 100], [50, 50], false],
    [[0, 0], [10, 10], false],
    [[], [], false],
  ] as const;
  for (const [former, changed, better] of cases) {
    t.equal(judge(rounds(former, changed)).better, better, `${former} and ${changed}`);
  }
  const { gain, spread } = judge(rounds([100, 110], [150, 165]));
  t.equal(gain, 0.5);
  t.equal(Math.round(spread * 1_000), 95);
});

const trial = (
  made: ReturnType<typeof poolOf>,
  speed: (threads: number, round: number) => number | Promise<number>,
  signal = new AbortController().signal,
) => {
  let round = 0;
  return runTrial({
    pool: made.pool,
    change: CHANGE,
    rounds: 2,
    measure: async () => speed(made.now().max, ++round),
    signal,
    onRound: () => {},
  });
};

t.test('rounds go in turn; what is better is kept', async (t) => {
  const made = poolOf();
  const result = await trial(made, (threads) => threads * 100);
  t.match(result, { better: true, gain: 1, spread: 0, holds: 'new' });
  t.strictSame(
    result.rounds.map(({ kind, donePerSecond }) => `${kind} ${donePerSecond}`),
    ['former 100', 'new 200', 'former 100', 'new 200'],
  );
  t.match(made.now(), CHANGE);
});

t.test('what is not better is put back: to the file, or to what was set before', async (t) => {
  const made = poolOf();
  t.match(await trial(made, () => 100), { better: false, holds: 'former' });
  t.strictSame(made.now(), FORMER);
  t.equal(made.calls.at(-1), 'reset');
  const set = poolOf(true);
  t.match(await trial(set, () => 100), { holds: 'former' });
  t.strictSame(set.now(), FORMER);
  t.equal(set.calls.at(-1), 'set {"min":1,"max":1}');
});

t.test('it is put back after an error, and when it is told to stop, in any round', async (t) => {
  for (const bad of [1, 2, 3, 4]) {
    const made = poolOf();
    const failed = trial(made, (_, round) => {
      if (round === bad) throw new Error('broken');
      return 100;
    });
    await t.rejects(failed, { message: 'broken' });
    t.strictSame(made.now(), FORMER, `round ${bad}`);
    const told = poolOf();
    const stop = new AbortController();
    const stopped = trial(
      told,
      (_, round) => {
        if (round === bad) stop.abort();
        stop.signal.throwIfAborted();
        return 100;
      },
      stop.signal,
    );
    await t.rejects(stopped, { name: 'AbortError' });
    t.strictSame(told.now(), FORMER, `round ${bad}`);
  }
});

t.test('an answer that is lost may have been a change: that is put back too', async (t) => {
  const made = poolOf();
  const { set } = made.pool;
  made.pool.set = async (change) => {
    await set(change);
    throw new Error('no answer');
  };
  await t.rejects(
    trial(made, () => 100),
    { message: 'no answer' },
  );
  t.strictSame(made.now(), FORMER);
});

t.test('what somebody else set meanwhile is left alone', async (t) => {
  for (const at of [1, 2, 3, 4]) {
    const made = poolOf();
    const result = await trial(made, (threads, round) => {
      if (round === at) made.others({ batchMax: 7 });
      return threads * 100;
    });
    t.equal(result.holds, 'others', `round ${at}`);
    t.equal(made.now().batchMax, 7);
  }
});

t.test('when it cannot be put back, the former settings are told', async (t) => {
  const made = poolOf();
  const failed = trial(made, (_, round) => {
    if (round === 2) made.fail(new Error('the node is gone'));
    return 100;
  });
  await t.rejects(failed, {
    code: 'TETHER_TUNE',
    message: /could not be put back \(the node is gone\); they were: min 1, max 1, batchMax 100/,
  });
});
