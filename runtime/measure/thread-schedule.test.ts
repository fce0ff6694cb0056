/** The scheduler's word on a thread that works, and on one that sleeps. */
import { platform } from 'node:os';
import t from 'tap';
import { until } from '../testing/until.js';
import { ThreadSchedule } from './thread-schedule.js';

t.test(
  'time on a core counts, sleep does not',
  { skip: platform() !== 'linux' && 'Linux tells' },
  async (t) => {
    const schedule = ThreadSchedule.open();
    if (schedule === undefined) throw new Error('this Linux takes no note of how threads are scheduled');
    t.teardown(() => schedule.close());
    // Linux counts at its ticks: time before the start is in what it counts next, unless it has just counted.
    let startMs = performance.now();
    const first = schedule.read();
    let before = first;
    for (const end = startMs + 30_000; before.ranMs === first.ranMs && startMs < end; ) {
      startMs = performance.now();
      before = schedule.read();
    }
    while (schedule.read().ranMs < before.ranMs + 50 && performance.now() < startMs + 30_000);
    const worked = schedule.read();
    t.ok(worked.ranMs >= before.ranMs + 50);
    t.ok(worked.waitedMs >= before.waitedMs);
    const all = worked.ranMs + worked.waitedMs - before.ranMs - before.waitedMs;
    t.ok(all <= performance.now() - startMs + 1, 'no more than the time that went by');
    const sleptAt = performance.now();
    await until('a second is over', () => performance.now() > sleptAt + 1_000);
    const slept = schedule.read();
    t.ok(slept.ranMs - worked.ranMs < 500, `${slept.ranMs - worked.ranMs} ms in a second of rest`);
  },
);
