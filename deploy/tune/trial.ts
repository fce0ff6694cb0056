/**
 * Tries settings on a running pool: rounds with what held and rounds with what is recommended, in turn, and keeps the new ones only when
 * they are better by more than the rounds of one kind differ among themselves.
 *
 * Promises:
 * - the former settings are put back unless the new ones are kept: after the last round, after an error, and when it is told to stop
 * - what somebody else set meanwhile is left alone, and told
 * - rounds of both kinds are spread over the same time, so that a machine that slows down is no gain and no loss
 */
import type { PoolSettings } from '../../gateway/api/status-schema.js';
import { TuneError } from './errors.js';

type Change = Partial<PoolSettings>;

/** What holds, and whether it differs from the file. */
interface FormerSettings {
  readonly settings: PoolSettings;
  readonly differs: boolean;
}

/** One pool of a running node. */
interface TriedPool {
  read(): Promise<FormerSettings>;
  /** Resolves when it is saved. */
  set(change: Change): Promise<void>;
  /** Back to the file. */
  reset(): Promise<void>;
  /** Until its threads are as set, or have had time to be. */
  settled(): Promise<void>;
}

interface TrialOptions {
  readonly pool: TriedPool;
  readonly change: Change;
  /** Of each kind. */
  readonly rounds: number;
  /** Done per second, with a load that is more than the pool does. Rejects when the signal fires. */
  readonly measure: () => Promise<number>;
  readonly signal: AbortSignal;
  readonly onRound: (round: Round) => void;
}

interface Round {
  readonly kind: 'former' | 'new';
  readonly donePerSecond: number;
}

interface TrialVerdict {
  readonly better: boolean;
  /** Of the averages: 0.2 is a fifth more. */
  readonly gain: number;
  /** The larger of the two kinds: from its least round to its best, as a share of its average. */
  readonly spread: number;
}

interface Trial extends TrialVerdict {
  readonly rounds: readonly Round[];
  /** What holds now. `others`: somebody else set the pool meanwhile. */
  readonly holds: 'new' | 'former' | 'others';
}

/** Less is no gain, however even the rounds are. */
const GAIN_MIN = 0.05;

/** @throws what `measure` throws, and TuneError when the former settings could not be put back */
async function runTrial(options: TrialOptions): Promise<Trial> {
  const { pool, change, signal, measure, onRound } = options;
  const former = await pool.read();
  const hand = new Hand(pool, former, change);
  const rounds: Round[] = [];
  let verdict: TrialVerdict | undefined;
  try {
    for (let at = 0; at < options.rounds * 2; at++) {
      signal.throwIfAborted();
      const kind = at % 2 === 0 ? 'former' : 'new';
      if (!(await hand.hold(kind))) return { ...judge(rounds), better: false, rounds, holds: 'others' };
      const round = { kind, donePerSecond: await measure() } as const;
      rounds.push(round);
      onRound(round);
    }
    verdict = judge(rounds);
    // The last round was one with the new settings.
    if (verdict.better && (await hand.isOurs())) return { ...verdict, rounds, holds: 'new' };
  } catch (error) {
    await hand.putBack();
    throw error;
  }
  return { ...verdict, rounds, holds: (await hand.putBack()) ? 'former' : 'others' };
}

/** The one that sets the pool, and knows what it set. */
class Hand {
  readonly #pool: TriedPool;
  readonly #former: FormerSettings;
  readonly #change: Change;
  #holds: Round['kind'] = 'former';
  /** Whether the new settings were ever asked for. */
  #touched = false;

  constructor(pool: TriedPool, former: FormerSettings, change: Change) {
    this.#pool = pool;
    this.#former = former;
    this.#change = change;
  }

  /** False: somebody else set the pool, and it is left alone. */
  async hold(kind: Round['kind']): Promise<boolean> {
    if (!(await this.isOurs())) return false;
    if (kind === this.#holds) return true;
    // Before it is known to have worked: an answer that was lost may have been a change.
    this.#holds = kind;
    this.#touched = true;
    await (kind === 'new' ? this.#pool.set(this.#change) : this.#restore());
    await this.#pool.settled();
    return true;
  }

  /** Whether the pool is as it was at first, or as it was set here. */
  async isOurs(): Promise<boolean> {
    const { settings } = await this.#pool.read();
    const { settings: former } = this.#former;
    if (same(settings, former)) return true;
    return this.#touched && same(settings, { ...former, ...this.#change });
  }

  /** False: somebody else set the pool, and it is left alone. @throws TuneError */
  async putBack(): Promise<boolean> {
    if (!this.#touched) return true;
    try {
      if (!(await this.isOurs())) return false;
      await this.#restore();
      return true;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const what = `the former settings could not be put back (${reason}); they were: ${this.#text()}`;
      throw new TuneError(what, { cause });
    }
  }

  /** Where nothing was set, nothing shall be: a later change of the file is to hold. */
  #restore(): Promise<void> {
    const { settings, differs } = this.#former;
    if (!differs) return this.#pool.reset();
    const names = Object.keys(this.#change) as (keyof PoolSettings)[];
    return this.#pool.set(Object.fromEntries(names.map((name) => [name, settings[name]])));
  }

  #text(): string {
    return Object.entries(this.#former.settings)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  }
}

function same(settings: PoolSettings, others: PoolSettings): boolean {
  return Object.entries(others).every(([name, value]) => Reflect.get(settings, name) === value);
}

function judge(rounds: readonly Round[]): TrialVerdict {
  const of = (kind: Round['kind']) =>
    rounds.filter((round) => round.kind === kind).map(({ donePerSecond }) => donePerSecond);
  const [former, changed] = [of('former'), of('new')];
  if (former.length === 0 || changed.length === 0) return { better: false, gain: 0, spread: 0 };
  const [before, after] = [mean(former), mean(changed)];
  const gain = before === 0 ? 0 : after / before - 1;
  const spread = Math.max(spreadOf(former), spreadOf(changed));
  const apart = Math.min(...changed) > Math.max(...former);
  return { better: apart && gain > Math.max(spread, GAIN_MIN), gain, spread };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function spreadOf(values: readonly number[]): number {
  const average = mean(values);
  return average === 0 ? 0 : (Math.max(...values) - Math.min(...values)) / average;
}

export { type Change, judge, type Round, runTrial, type Trial, type TrialOptions, type TriedPool };
