/**
 * What a key does: a new state, and what is to be done outside of it. A pure function, so that each key can be tried without a terminal.
 *
 * Nothing that stops work happens at one key: pause, resume and drain ask first.
 */
import type { PoolStatus } from '../../gateway/api/status-schema.js';
import { type PoolVerb, selectedPool, type TopState, withNextSort, withSelection } from './state.js';

/** A name of a key that is no character, or the character. */
type Key = 'up' | 'down' | 'enter' | 'escape' | 'interrupt' | 'suspend' | string;

/** Asked of the node. */
type PoolEffect =
  | { readonly kind: 'tell'; readonly verb: PoolVerb; readonly actor: string }
  | { readonly kind: 'resize'; readonly actor: string; readonly change: { min?: number; max: number } };
type Effect = PoolEffect | { readonly kind: 'quit' } | { readonly kind: 'suspend' };

interface Outcome {
  readonly state: TopState;
  readonly effect?: Effect;
}

function onKey(state: TopState, key: Key): Outcome {
  if (key === 'interrupt') return { state, effect: { kind: 'quit' } };
  if (key === 'suspend') return { state, effect: { kind: 'suspend' } };
  if (state.panel.mode === 'confirm') return onAnswer(state, state.panel, key);
  const pool = selectedPool(state);
  switch (key) {
    case 'q':
      return { state, effect: { kind: 'quit' } };
    case 'up':
    case 'k':
      return { state: withSelection(state, -1) };
    case 'down':
    case 'j':
      return { state: withSelection(state, 1) };
    case 's':
      return { state: withNextSort(state) };
    case 'enter':
      return {
        state: { ...state, panel: { mode: state.panel.mode === 'details' ? 'overview' : 'details' } },
      };
    case '?':
    case 'h':
      return { state: { ...state, panel: { mode: state.panel.mode === 'help' ? 'overview' : 'help' } } };
    case 'escape':
      return { state: { ...state, panel: { mode: 'overview' }, message: null } };
    case 'p':
      return asking(state, pool, pool?.mode === 'paused' || pool?.mode === 'drained' ? 'resume' : 'pause');
    case 'd':
      return asking(state, pool, 'drain');
    case '+':
    case '=':
      return resizing(state, pool, 1);
    case '-':
      return resizing(state, pool, -1);
    default:
      return { state };
  }
}

/** A key that is neither yes nor no is a no: whoever presses it has not read the question. */
function onAnswer(state: TopState, { verb, actor }: { verb: PoolVerb; actor: string }, key: Key): Outcome {
  const overview: TopState = { ...state, panel: { mode: 'overview' } };
  if (key !== 'y' && key !== 'Y') {
    return { state: { ...overview, message: { text: `${actor} is left as it is`, failed: false } } };
  }
  return {
    state: { ...overview, message: { text: `${verb} ${actor} ...`, failed: false } },
    effect: { kind: 'tell', verb, actor },
  };
}

function asking(state: TopState, pool: PoolStatus | undefined, verb: PoolVerb): Outcome {
  if (pool === undefined) return { state };
  return { state: { ...state, panel: { mode: 'confirm', verb, actor: pool.actor }, message: null } };
}

/** The maximum by one; a minimum that would stand above it goes with it. */
function resizing(state: TopState, pool: PoolStatus | undefined, by: number): Outcome {
  if (pool === undefined) return { state };
  const { actor } = pool;
  const { min, max } = pool.settings.current;
  const next = max + by;
  if (next < 1)
    return { state: { ...state, message: { text: 'a pool has one thread at least', failed: true } } };
  return {
    state: { ...state, message: { text: `${actor}: at most ${next} threads ...`, failed: false } },
    effect: { kind: 'resize', actor, change: next < min ? { min: next, max: next } : { max: next } },
  };
}

export { type Effect, type Key, onKey, type PoolEffect };
