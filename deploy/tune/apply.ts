/** Brings recommended settings to a pool: tried against what held, or set at once. */
import { TuneError } from './errors.js';
import { NodeSamples } from './node-samples.js';
import { type Change, type Round, runTrial, type Trial, type TriedPool } from './trial.js';
import { measureStep, type Tuned, type TuneOptions } from './tune.js';

interface ApplyOptions
  extends Pick<TuneOptions, 'target' | 'ask' | 'p99MsMax' | 'signal' | 'pace' | 'rateMax'> {
  readonly tuned: Tuned;
  readonly pool: TriedPool;
  /** Of each kind; 0: they are set at once. */
  readonly rounds: number;
  readonly onRound: (round: Round) => void;
}

interface Applied {
  readonly trial: Trial | null;
  readonly holds: Trial['holds'];
  /** The least threads that held before, and hold where nothing else was recommended. */
  readonly least: number;
}

/** More than what the pool does, so that it never waits for work, and not so much that what waits takes minutes to be done. */
const MORE = 2.5;

/** @throws TuneError; NodeRequestError; AbortError when it was told to stop: then the former settings hold */
async function applyRecommended(options: ApplyOptions): Promise<Applied> {
  const { tuned, pool } = options;
  const { settings } = await pool.read();
  const change = changeOf(tuned);
  const least = settings.min;
  if (options.rounds === 0) {
    await pool.set(change);
    return { trial: null, holds: 'new', least };
  }
  const trial = await tryOut(options, triedChange(change));
  // A range is tried as the threads that it may grow to; how many it keeps at least was not asked.
  if (trial.holds === 'new' && change.min === undefined && change.max !== undefined) {
    await pool.set({ min: least });
  }
  return { trial, holds: trial.holds, least };
}

function changeOf({ recommendations }: Tuned): Change {
  return Object.fromEntries(recommendations.map(({ setting, to }) => [setting, to]));
}

/** A pool that grows by itself takes longer than a round. */
function triedChange(change: Change): Change {
  return change.max === undefined ? change : { ...change, min: change.max };
}

async function tryOut(options: ApplyOptions, change: Change): Promise<Trial> {
  const { tuned, pool, rounds, signal, onRound, ask, rateMax, pace } = options;
  const rate = Math.min(rateMax, rateFor(tuned));
  const samples = new NodeSamples(ask, pace.askMs);
  const measure = async (): Promise<number> => {
    const { node } = await measureStep(options, samples, tuned.actor ?? undefined, rate, pace.stepSeconds);
    signal.throwIfAborted();
    const done = node?.pool?.donePerSecond;
    if (typeof done !== 'number')
      throw new TuneError('the node did not say what it did in a round; nothing is changed');
    return done;
  };
  try {
    return await runTrial({ pool, change, rounds, measure, signal, onRound });
  } finally {
    await samples.stop();
  }
}

/** Of the step that decided: the last one that was measured. */
function rateFor({ steps }: Tuned): number {
  const last = steps.at(-1);
  const rate = last?.load.rate ?? 1;
  return Math.max(rate, (last?.node?.pool?.donePerSecond ?? 0) * MORE);
}

export { type Applied, applyRecommended };
