/** The ends of a system: before its start, while it drains, and after: nobody waits for an answer that cannot come. */
import t from 'tap';
import { ActorSystem } from '../actor-system.js';
import { silentLogger } from '../logger.js';
import type { Job } from '../testing/actors/worker.js';
import { MemoryLog } from '../testing/memory-log.js';
import { until } from '../testing/until.js';
import { crewOf, failure, startWorkers } from '../testing/workers.js';

t.setTimeout(120_000);

const LONG_MS = 30_000;
const SOON_MS = 5_000;
const GET: Job = { type: 'get' };

t.test('before the start, and after the end, a reference says so at once', async (t) => {
  const { actors, close } = crewOf([{ type: 'near' }]);
  const system = new ActorSystem({
    log: new MemoryLog(2),
    deadLetters: { put: async () => {} },
    actors,
    retry: { attemptsMax: 3, delayMs: 10, delayMsMax: 50 },
    logger: silentLogger,
    logLevel: 'error',
  });
  const ref = system.ref<Job>('near', '1');
  const refused = async (message: RegExp) => {
    t.throws(() => ref.tell(GET), { message });
    const ends = [failure(ref.ask(GET as never, { timeoutMs: LONG_MS })), failure(ref.tellDurably(GET))];
    for (const end of await Promise.all(ends)) {
      t.match(end, { message });
      t.ok(end.ms < SOON_MS, `${Math.round(end.ms)} ms`);
    }
  };
  await refused(/not started/);
  await system.start();
  t.match(await ref.ask(GET as never, { timeoutMs: LONG_MS }), { count: 0 }, 'it waits for the threads');
  await system.drain(5_000);
  await refused(/has stopped/);
  t.equal(system.stats().asksPending, 0);
  await system.drain(5_000);
  t.equal(system.mode, 'stopped', 'a second drain changes nothing');
  close();
});

t.test('a drain ends asks under way, from the main thread and between threads', async (t) => {
  const { system, ask, ref, said } = await startWorkers(t, [
    { type: 'near', threads: 2 },
    { type: 'far', threads: 2 },
    { type: 'third' },
  ]);
  const keys = Array.from({ length: 16 }, (_, n) => `${n}`);
  const from = performance.now();
  const slow = keys.map((key) => ask('far', key, { type: 'add', from: 'main', n: 1, ms: 300 }));
  const forgotten = keys.map((key) => failure(ask('far', key, { type: 'forget' }, LONG_MS)));
  // Each of these asks an actor of a pool that may be gone by then, and to which no link was made yet.
  const chained = keys.map((key) =>
    failure(
      ask(
        'near',
        key,
        { type: 'ask', to: ['third', key], job: { type: 'forget' }, timeoutMs: LONG_MS },
        LONG_MS,
      ),
    ),
  );
  await until(
    'they are under way',
    () => said.filter(({ text }) => text === 'begins').length === keys.length,
  );
  const drained = system.drain(20_000);
  const second = system.drain(20_000);
  t.strictSame(await Promise.all(slow), Array(16).fill(1), 'what can be answered is');
  for (const end of await Promise.all([...forgotten, ...chained])) {
    t.ok(end.ms < SOON_MS, `${Math.round(end.ms)} ms`);
    t.ok(end.value !== undefined || /STOPPED|LOST/.test(end.code ?? ''), end.code ?? 'a reply');
  }
  await drained;
  await second;
  t.ok(performance.now() - from < SOON_MS);
  t.equal(system.mode, 'stopped');
  t.equal(system.stats().asksPending, 0);
  t.match(await failure(ref('far', '1').ask(GET as never)), { code: 'TETHER_SYSTEM_MODE' });
});

t.test('a call that hangs hears of the drain by its signal, and does not hold it up', async (t) => {
  const { system, ask, said } = await startWorkers(t, [{ type: 'near' }]);
  const hung = failure(ask('near', '1', { type: 'hang' }, LONG_MS));
  await until('it hangs', () => said.some(({ text }) => text === 'hangs'));
  const from = performance.now();
  await system.drain(500);
  t.ok(performance.now() - from < SOON_MS);
  t.match(await hung, { code: 'TETHER_THREAD_LOST' });
  await until('its signal fired', () => said.some(({ text }) => text === 'released'));
});
