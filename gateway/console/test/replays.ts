/** For tests of the console: replays in memory, which run and never end by themselves. */
import {
  type EventReplays,
  type Replay,
  type ReplayCommand,
  ReplayRefusedError,
  type ReplayState,
} from '../../../actors/replay/index.js';
import { idOf } from './rows.js';

const AFTER: Readonly<Record<ReplayCommand, ReplayState>> = {
  pause: 'paused',
  resume: 'running',
  cancel: 'cancelled',
};

export class MadeUpReplays implements Pick<EventReplays, 'preview' | 'create' | 'get' | 'list' | 'command'> {
  all: Replay[] = [
    {
      id: idOf(900),
      state: 'running',
      selection: { filter: { endpoint: 'shop', to: 1_700_000_000_000 } },
      target: undefined,
      forced: false,
      rate: 500,
      cursor: undefined,
      total: 86_400,
      told: 41_000,
      deliveries: 41_000,
      leftOut: { unrouted: 210 },
      workedMs: 90_000,
      createdAt: Date.now() - 100_000,
      createdBy: 'anna',
      startedAt: Date.now() - 90_000,
      endedAt: undefined,
      reason: undefined,
    },
  ];

  preview: EventReplays['preview'] = async ({ target }) => {
    if (target === 'payment') throw new ReplayRefusedError('payment has had every event that there is');
    const endpoint = { endpoint: 'emp', events: 2, ofEmp: 0, delayed: 0, oldest: 1, latest: 2 };
    return {
      summary: { endpoints: [endpoint], total: 2 },
      isAtLeast: false,
      leftOut: { payment: 0, delayed: 0 },
    };
  };

  create: EventReplays['create'] = async ({ selection, target, forced, rate, by }) => {
    const [like] = this.all;
    if (like === undefined) throw new RangeError('there is one at the start');
    const made = {
      ...like,
      id: idOf(901),
      selection,
      target,
      forced,
      rate,
      createdBy: by,
      total: 2,
      told: 0,
      leftOut: {},
    };
    this.all.unshift(made);
    return made;
  };

  get: EventReplays['get'] = async (id) => this.all.find((replay) => replay.id === id);

  list: EventReplays['list'] = async (states) =>
    this.all.filter(({ state }) => states?.includes(state) ?? true);

  command: EventReplays['command'] = async (id, command) => {
    const at = this.all.findIndex((replay) => replay.id === id);
    const before = this.all[at];
    if (before === undefined) return undefined;
    const after = { ...before, state: AFTER[command] };
    this.all[at] = after;
    return { before, after };
  };
}
