/** Pools of real threads that change while they work. What a dispatcher promises meanwhile: `dispatcher-model.test.ts`. */
import t from 'tap';
import type { Recorded } from '../testing/actors/recorder.js';
import { startSystem } from '../testing/system.js';
import { until } from '../testing/until.js';
import { DEFAULT_AUTOSCALE } from './autoscale.js';
import type { PoolPolicy } from './options.js';
import { RESIZE_LIMITS } from './resizer.js';

// Each thread takes a second to start on a busy machine.
t.setTimeout(180_000);

const LONG = { attemptsMax: 9, delayMs: 60_000, delayMsMax: 60_000 };

async function start(
  test: Parameters<typeof startSystem>[0],
  threads: Parameters<typeof startSystem>[3],
  pools: Partial<PoolPolicy> = {},
  more: { readonly retry?: typeof LONG; readonly settings?: object } = {},
) {
  const { settings = {}, ...options } = more;
  const it = await startSystem<Recorded>(test, 'recorder', { pools, ...options }, threads, settings);
  const stats = () => {
    const [stats] = it.system.stats().actors;
    if (stats === undefined) throw new Error('no actor');
    return stats;
  };
  const handled = () => it.said.flatMap(({ handled }) => handled);
  return { ...it, stats, handled };
}

t.test('grows and shrinks under load: each key in order, each message once', async (t) => {
  const { system, log, said, tell, stats, handled } = await start(t, 1);
  let told = 0;
  let telling = true;
  const load = (async () => {
    while (telling) {
      await until('some are handled', () => log.lag() < 2_000, 60_000);
      // Some take their time, so that threads have messages in flight whenever a partition is to move.
      const text = () => (told % 200 === 0 ? 'wait:25' : 'ok');
      const some = Array.from({ length: 50 }, () => tell(`${told % 37}`, text(), `${told++}`));
      await Promise.all(some);
    }
  })();
  await until('it works', () => said.length > 0, 60_000);
  await system.resizePool('recorder', 3);
  t.match(stats(), { threads: ['ready', 'ready', 'ready'], min: 3, max: 3, resizing: false });
  t.strictSame([...stats().partitions].sort(), [2, 3, 3]);
  const since = said.length;
  await until('all three work', () => new Set(said.slice(since).map(({ thread }) => thread)).size === 3);
  await system.resizePool('recorder', 2);
  t.match(stats(), { threads: ['ready', 'ready'], partitions: [4, 4] });
  telling = false;
  await load;
  await until('all is handled', () => log.lag() === 0 && handled().length >= told, 60_000);
  t.equal(handled().length, told);
  const last = new Map<string, number>();
  let disorder = 0;
  for (const { key, dedupe } of handled()) {
    if (Number(dedupe) <= (last.get(key) ?? -1)) disorder++;
    last.set(key, Number(dedupe));
  }
  t.equal(disorder, 0);
  t.equal(stats().threadsLost, 0);
});

t.test('paused, the log keeps what comes; a drain waits for what is in flight', async (t) => {
  const { system, log, tell, stats, handled } = await start(t, 1);
  await tell('1', 'wait:300', 'slow');
  await until('it is in flight', () => stats().inFlight === 1, 60_000);
  await t.rejects(system.drainPool('recorder', 1), { code: 'TETHER_POOL_DRAIN', message: /1 messages/ });
  t.equal(stats().mode, 'paused');
  await system.drainPool('recorder', 10_000);
  t.match(stats(), { mode: 'drained', inFlight: 0 });
  await tell('1', 'ok', 'later');
  t.equal(log.lag(), 1);
  system.resumePool('recorder');
  t.equal(stats().mode, 'running');
  await until('all is handled', () => handled().length === 2);
  system.pausePool('recorder');
  await tell('1', 'ok', 'last');
  await system.resizePool('recorder', 2);
  t.match(stats(), { mode: 'paused', inFlight: 0, threads: ['ready', 'ready'] });
  system.resumePool('recorder');
  await until('all is handled', () => handled().length === 3);
});

t.test('a drain that waits ends when the pool is resumed or stopped', async (t) => {
  const { system, tell, stats } = await start(t, 1);
  await tell('1', 'wait:2000', 'slow');
  await until('it is in flight', () => stats().inFlight === 1, 60_000);
  const resumed = system.drainPool('recorder', 60_000);
  await t.rejects(system.drainPool('recorder', 1), { code: 'TETHER_POOL_REQUEST' });
  system.resumePool('recorder');
  await t.rejects(resumed, { code: 'TETHER_POOL_DRAIN', message: /resumed/ });
  const stopped = system.drainPool('recorder', 60_000);
  const refused = t.rejects(stopped, { code: 'TETHER_POOL_DRAIN', message: /stopped/ });
  await system.drain(5_000);
  await refused;
  t.throws(() => system.pausePool('recorder'), { code: 'TETHER_POOL_REQUEST' });
  await t.rejects(system.resizePool('recorder', 2), { code: 'TETHER_POOL_REQUEST' });
});

t.test('a poison that waits for its retry keeps its thread; the pool works on', async (t) => {
  const pools = { resize: { ...RESIZE_LIMITS, moveMsMax: 3_000 } };
  const { system, tell, stats, handled } = await start(t, 2, pools, { retry: LONG });
  await tell('1', 'fail:1', 'poison');
  await until('it is in flight', () => stats().inFlight === 1, 60_000);
  await t.rejects(system.resizePool('recorder', 1), {
    code: 'TETHER_POOL_RESIZE',
    message: /has 2 threads, 1 were wanted: threads 1 still own partitions; partition 1 stays/,
  });
  t.match(stats(), { threads: ['ready', 'ready'], partitions: [7, 1], inFlight: 1 });
  await Promise.all([tell('3', 'ok'), tell('9', 'ok')]);
  await until('others are handled', () => handled().length === 2);
});

t.test('a thread that does not open in time is taken away again', async (t) => {
  const pools = { resize: { ...RESIZE_LIMITS, readyMsMax: 1_000, drainMsMax: 100 } };
  const { system, tell, stats, handled } = await start(t, 1, pools, { settings: { opensBelow: 1 } });
  await tell('1', 'ok');
  await until('the first works', () => handled().length === 1, 60_000);
  await t.rejects(system.resizePool('recorder', 3), {
    code: 'TETHER_POOL_RESIZE',
    message: /has 1 threads, 3 were wanted: 2 threads were not ready/,
  });
  t.match(stats(), { threads: ['ready'], partitions: [8], threadsLost: 0 });
});

t.test('of resizes that wait, the last wins; what is no size or no actor is refused', async (t) => {
  const { system, stats } = await start(t, 1);
  await until('it is ready', () => stats().threads[0] === 'ready', 60_000);
  const sizes: number[] = [];
  const note = () => sizes.push(stats().threads.length);
  const first = system.resizePool('recorder', 2).then(note);
  await until('it has begun', () => stats().threads.length === 2);
  await Promise.all([first, ...[4, 3].map((size) => system.resizePool('recorder', size).then(note))]);
  t.equal(Math.max(...sizes), 3, 'four were asked for, and not any more when their turn came');
  await t.rejects(system.resizePool('recorder', 0), { code: 'TETHER_POOL_REQUEST' });
  await t.rejects(system.resizePool('nobody', 1), { code: 'TETHER_POOL_REQUEST' });
  t.match(stats(), { min: 3, max: 3 });
});

t.test(
  'other settings hold while it works, for new threads too: each key in order, each message once',
  async (t) => {
    const { system, log, said, tell, stats, handled } = await start(t, 1);
    const changes = [
      { batchMax: 3, inFlightMax: 5, max: 2 },
      { lingerMs: 30, min: 2 },
      { batchMax: 500, inFlightMax: 16_384, lingerMs: 0 },
      { inFlightMax: 1, min: 1, max: 1 },
      { batchMax: 7, inFlightMax: 64, max: 3, min: 3 },
    ];
    let told = 0;
    let telling = true;
    const load = (async () => {
      while (telling) {
        await until('some are handled', () => log.lag() < 500, 60_000);
        const text = () => (told % 50 === 0 ? 'wait:2' : 'ok');
        await Promise.all(Array.from({ length: 50 }, () => tell(`${told % 37}`, text(), `${told++}`)));
      }
    })();
    await until('it works', () => said.length > 0, 60_000);
    for (const change of changes) {
      const before = said.length;
      await system.changePool('recorder', change);
      t.match(stats().settings, {
        current: change,
        file: { batchMax: 500, inFlightMax: 2_048 },
        differs: true,
      });
      await until('it works on', () => said.length > before + 20);
    }
    const since = said.length;
    await until('all three work', () => new Set(said.slice(since).map(({ thread }) => thread)).size === 3);
    const batches = said.slice(since).map(({ handled }) => handled.length);
    t.equal(Math.max(...batches), 7, 'those that started since as well');
    telling = false;
    await load;
    await until('all is handled', () => log.lag() === 0 && handled().length >= told, 60_000);
    t.equal(handled().length, told);
    const last = new Map<string, number>();
    let disorder = 0;
    for (const { key, dedupe } of handled()) {
      if (Number(dedupe) <= (last.get(key) ?? -1)) disorder++;
      last.set(key, Number(dedupe));
    }
    t.equal(disorder, 0);
  },
);

t.test('a change of other settings leaves the number of threads alone', async (t) => {
  const { system, stats } = await start(t, 1);
  await until('it is ready', () => stats().threads[0] === 'ready', 60_000);
  const resizes: number[] = [];
  system.events.listen((event) => void (event.kind === 'resized' && resizes.push(event.threads)));
  await system.changePool('recorder', { batchMax: 5 });
  t.strictSame(resizes, []);
  const grown = system.changePool('recorder', { max: 2, min: 2 });
  await system.changePool('recorder', { batchMax: 6 });
  await grown;
  t.strictSame(resizes, [2]);
});

t.test('of a change that is refused nothing holds', async (t) => {
  const { system, stats } = await start(t, 1);
  const before = stats().settings;
  for (const change of [
    { batchMax: 2, min: 5 },
    { max: 2, batchMax: 501 },
    { inFlightMax: 3, lingerMs: -1 },
  ]) {
    await t.rejects(system.changePool('recorder', change), { code: 'TETHER_POOL_REQUEST' });
    t.throws(() => system.poolSettings('recorder', change), { code: 'TETHER_POOL_REQUEST' });
  }
  t.strictSame(stats().settings, before);
  t.match(system.poolSettings('recorder', { max: 2 }), { min: 1, max: 2, batchMax: 500 });
  t.equal(stats().max, 1, 'a look changes nothing');
  await t.rejects(system.changePool('nobody', {}), { code: 'TETHER_POOL_REQUEST' });
});

t.test('one message at a time: a poison that waits for its retry holds up its own key alone', async (t) => {
  const { system, tell, stats, handled } = await start(t, 1, {}, { retry: LONG });
  await system.changePool('recorder', { inFlightMax: 1 });
  await Promise.all([tell('1', 'fail:1'), tell('1', 'ok'), tell('2', 'ok'), tell('3', 'ok')]);
  await until('others are handled', () => handled().length === 2, 60_000);
  t.strictSame(
    handled()
      .map(({ key }) => key)
      .sort(),
    ['2', '3'],
  );
  t.equal(stats().inFlight, 2);
});

t.test('a thread that is lost while a pool shrinks costs nothing', async (t) => {
  const { system, log, tell, stats, handled, stored } = await start(t, 3);
  await until('all are ready', () => stats().threads.every((mode) => mode === 'ready'), 60_000);
  for (let n = 0; n < 200; n++) tell(`${n % 16}`, n === 50 ? 'exit' : 'wait:2', `${n}`);
  await until('it is under way', () => stats().inFlight > 0);
  await system.resizePool('recorder', 1);
  await until('all is handled', () => log.lag() === 0, 60_000);
  t.match(stored, [{ envelope: { dedupe: '50' } }]);
  await until('all is said', () => new Set(handled().map(({ dedupe }) => dedupe)).size === 199);
  t.strictSame(stats().partitions, [8]);
});

t.test('a pool grows while messages wait, and shrinks when they do not', async (t) => {
  const quick = { smoothMs: 500, growAfterMs: 1_000, coolDownMs: 1_000, shrinkAfterMs: 2_000, tooFewMs: 0 };
  const pools = { autoscale: { ...DEFAULT_AUTOSCALE, ...quick } };
  const { log, tell, stats } = await start(t, { min: 1, max: 3 }, pools);
  const padding = 'x'.repeat(65_536);
  let telling = true;
  let told = 0;
  const load = (async () => {
    while (telling) {
      // More than a thread may have at a time.
      await until('some are handled', () => log.lag() < 250, 60_000);
      await Promise.all(Array.from({ length: 50 }, () => tell(`${told++}`, `wait:4:${padding}`)));
    }
  })();
  t.equal(stats().threads.length, 1);
  await until('it has grown', () => stats().threads.length > 1, 60_000);
  t.ok(stats().delayMs > 50, `${stats().delayMs} ms`);
  telling = false;
  await load;
  await until('it has shrunk', () => stats().threads.length === 1 && !stats().resizing, 60_000);
  t.equal(log.lag(), 0);
  t.ok(stats().delayMs < 50, `${stats().delayMs} ms`);
});

t.test('one partition with work is no reason to grow', async (t) => {
  const quick = { smoothMs: 100, growAfterMs: 0, coolDownMs: 0, targetMs: 1 };
  const pools = { autoscale: { ...DEFAULT_AUTOSCALE, ...quick } };
  const { log, tell, stats } = await start(t, { min: 1, max: 3 }, pools);
  for (let n = 0; n < 300; n++) await tell('1', `wait:8:${'x'.repeat(65_536)}`);
  await until('messages wait', () => stats().delayMs > 100, 60_000);
  await until('all is handled', () => log.lag() === 0, 60_000);
  t.equal(stats().threads.length, 1);
});

t.test('a pool whose threads are lost again and again is unstable', async (t) => {
  const { log, tell, stats } = await start(t, 1, { losses: { lossesMax: 3, withinMs: 600_000 } });
  await tell('1', 'exit');
  t.equal(stats().unstable, false);
  await until('it is given up', () => log.lag() === 0, 60_000);
  t.equal(stats().unstable, true);
});
