/** What a scenario of the laboratory is, and what it is given. */
import type { Pinning } from './pinning.js';
import type { ScenarioResult } from './results.js';

export interface Scenario {
  /** As on the command line. */
  readonly name: string;
  readonly title: string;
  /** Debian packages, beside Node, and the programs by which one sees that they are there. */
  readonly needs: readonly { readonly program: string; readonly package: string }[];
  /** About how long it takes with the defaults. */
  readonly minutes: number;
  /** Whether it runs when none is named: those that take long, or answer what is seldom asked, do not. */
  readonly isUsual: boolean;
  run(bench: Bench): Promise<Omit<ScenarioResult, 'name' | 'title' | 'seconds'>>;
}

export interface Bench {
  /** Undefined: what the scenario finds right. */
  readonly rounds: number | undefined;
  /** Of each measurement; undefined: the same. */
  readonly seconds: number | undefined;
  /** Empty and its own; gone afterwards. */
  readonly directory: string;
  readonly pinning: Pinning;
  /** Options of Node for a program of Tether under measurement of that name: those that profile it, when that is wanted. */
  nodeOptions(name: string): readonly string[];
  /** Leaves the start of that program out of its profile. */
  profileFromNow(name: string): void;
  /** Says how far it is, to a person who waits. */
  note(text: string): void;
  /** Ends what was started; called in reverse order, whatever happened. */
  onEnd(stop: () => Promise<unknown> | unknown): void;
}

export const WRK = { program: 'wrk', package: 'wrk' };
export const REDIS = { program: 'redis-server', package: 'redis-server' };
/** Of all peers that take webhooks. */
export const PEER_NEEDS = [
  REDIS,
  { program: 'nats-server', package: 'nats-server' },
  { program: 'chattr', package: 'e2fsprogs' },
];
