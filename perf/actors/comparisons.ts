/** Which subject is held against which, and how far it must be. */
import type { BenchmarkName } from './parameters.js';

/** Row of the mean over the benchmarks that both subjects have. */
export const MEAN = 'geometric mean';

export interface Comparison {
  readonly title: string;
  readonly over: string;
  readonly under: string;
  /** The least ratio that is good enough, of the median over the rounds. */
  readonly bars: { readonly [Row in BenchmarkName | typeof MEAN]?: number };
}

export const COMPARISONS: readonly Comparison[] = [
  { title: 'Tether / nact', over: 'tether', under: 'nact', bars: { counting: 6, 'ping-pong': 6 } },
  {
    title: 'Tether / Erlang, one thread',
    over: 'tether',
    under: 'erlang',
    bars: { counting: 0.4, 'ping-pong': 2 },
  },
  { title: 'Tether / bare loop', over: 'tether', under: 'loop', bars: {} },
  { title: 'Tether / Erlang, two threads', over: 'tether-2', under: 'erlang-2', bars: {} },
  {
    title: 'Tether / MessagePort',
    over: 'tether-2',
    under: 'message-port',
    // A round trip takes at most one and a half times as long.
    bars: { 'cross-throughput': 3, 'cross-ask': 0.667 },
  },
  { title: 'Tether / piscina.run', over: 'tether-2', under: 'piscina', bars: {} },
  { title: 'Tether / poolifier', over: 'tether-2', under: 'poolifier', bars: {} },
];

/** What one live activation may take beyond its state. */
export const ACTIVATION_BYTES_MAX = 1_024;
