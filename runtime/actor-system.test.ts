import { randomUUID } from 'node:crypto';
import t from 'tap';
import { ActorSystem } from './actor-system.js';
import { encodeEnvelope } from './envelope.js';
import { SharedLogLevel } from './log-level.js';
import { silentLogger } from './logger.js';
import type { Counted } from './testing/actors/counter.js';
import type { Recorded } from './testing/actors/recorder.js';
import { MemoryLog } from './testing/memory-log.js';
import { module, startSystem as start } from './testing/system.js';
import { until } from './testing/until.js';

// Each thread that is replaced takes a second to start on a busy machine.
t.setTimeout(180_000);

t.test('messages are handled on worker threads, each key in one of them, in order', async (t) => {
  const { log, said, tell, system } = await start<Recorded>(t, 'recorder');
  await Promise.all(Array.from({ length: 4_000 }, (_, n) => tell(`${n % 37}`, 'ok', `${n}`)));
  await until('all is handled', () => log.lag() === 0);
  await until('all is said', () => said.reduce((sum, { handled }) => sum + handled.length, 0) >= 4_000);
  const threads = new Map<string, Set<number>>();
  const order = new Map<string, number[]>();
  for (const { thread, handled } of said) {
    for (const { key, dedupe } of handled) {
      threads.set(key, (threads.get(key) ?? new Set()).add(thread));
      order.set(key, [...(order.get(key) ?? []), Number(dedupe)]);
    }
  }
  t.ok([...threads.values()].every((of) => of.size === 1));
  t.ok(
    [...order.values()].every((sequence) =>
      sequence.every((n, at) => at === 0 || n > (sequence[at - 1] ?? 0)),
    ),
  );
  t.equal(new Set(said.map(({ thread }) => thread)).size, 2, 'both threads have work');
  t.match(system.stats(), {
    mode: 'running',
    actors: [{ actor: 'recorder', done: 4_000, inFlight: 0, live: 2 }],
  });
});

t.test('threads follow the level of the log, and so do those that start later', async (t) => {
  const level = new SharedLogLevel('info');
  const lines: object[] = [];
  const logger = { ...silentLogger, debug: (fields: object) => void lines.push(fields) };
  const { log, tell, system } = await start<Recorded>(t, 'recorder', { logger, logLevel: level });
  const tellAll = async () => {
    lines.length = 0;
    await Promise.all(Array.from({ length: 16 }, (_, n) => tell(`${n}`, 'debug')));
    await until('all is handled', () => log.lag() === 0);
    return new Set(lines.flatMap((line) => ('thread' in line ? [line.thread] : []))).size;
  };
  t.equal(await tellAll(), 0);
  level.set('debug');
  t.equal(await tellAll(), 2, 'both threads');
  await system.resizePool('recorder', 3);
  t.equal(await tellAll(), 3, 'the new one as well');
  level.set('warn');
  t.equal(await tellAll(), 0);
  t.equal(level.get(), 'warn');
});

t.test('the line about a message that is given up leads to its trace', async (t) => {
  const lines: object[] = [];
  const logger = { ...silentLogger, error: (fields: object) => void lines.push(fields) };
  const { log } = await start<Recorded>(t, 'recorder', { logger }, 1);
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  for (const [id, traceparent] of [
    ['traced', `00-${traceId}-00f067aa0ba902b7-01`],
    ['not traced', ''],
  ] as const) {
    const payload = Buffer.from('final');
    const envelope = { id, actor: 'recorder', key: '0', dedupe: id, receivedAt: 0, traceparent, payload };
    log.open('recorder')[0]?.append(encodeEnvelope(envelope), { appended() {}, appendFailed: t.fail });
  }
  await until('both are given up', () => lines.length === 2);
  t.match(lines, [{ id: 'traced', traceId }, { id: 'not traced' }]);
  t.notOk('traceId' in (lines[1] ?? {}));
});

t.test('poison is retried, then a dead letter; a retry that succeeds is handled once', async (t) => {
  const { log, said, stored, tell } = await start<Recorded>(t, 'recorder');
  await Promise.all([
    ...Array.from({ length: 100 }, (_, n) => tell(`${n}`, 'ok')),
    tell('3', 'fail', 'poison'),
    tell('3', 'ok', 'behind'),
    tell('4', 'fail:2', 'passing'),
    tell('5', 'final', 'final'),
  ]);
  await until('all is handled', () => log.lag() === 0);
  t.strictSame(stored.map(({ envelope, attempts }) => [envelope.dedupe, attempts]).sort(), [
    ['final', 1],
    ['poison', 3],
  ]);
  await until('all is said', () => said.reduce((sum, { handled }) => sum + handled.length, 0) >= 102);
  const handled = said.flatMap(({ handled }) => handled);
  t.equal(handled.length, 102);
  t.match(
    handled.filter(({ dedupe }) => dedupe === 'passing'),
    [{ attempt: 3 }],
  );
  t.equal(handled.filter(({ dedupe }) => dedupe === 'behind').length, 1);
});

t.test('a key with thousands of messages behind its poison holds up no other', async (t) => {
  const retry = { attemptsMax: 9, delayMs: 60_000, delayMsMax: 60_000 };
  const { said, tell } = await start<Recorded>(t, 'recorder', { retry, log: new MemoryLog(1) }, 1);
  tell('1', 'fail:1', 'poison');
  for (let n = 0; n < 3_000; n++) tell('1', 'ok', `behind-${n}`);
  tell('2', 'ok', 'other');
  await until('the other is handled', () =>
    said.some(({ handled }) => handled.some(({ dedupe }) => dedupe === 'other')),
  );
  t.notOk(said.some(({ handled }) => handled.some(({ dedupe }) => dedupe === 'behind-0')));
});

t.test('a message that ends its thread becomes a dead letter, the others are handled', async (t) => {
  const { log, said, stored, tell, system } = await start<Recorded>(t, 'recorder');
  const told = Array.from({ length: 300 }, (_, n) => tell(`${n % 16}`, n === 150 ? 'exit' : 'ok', `${n}`));
  await Promise.all(told);
  await until('all is handled', () => log.lag() === 0, 30_000);
  t.match(stored, [{ envelope: { dedupe: '150' }, cause: { code: 'TETHER_THREAD_CRASH' } }]);
  await until(
    'all is said',
    () => new Set(said.flatMap(({ handled }) => handled.map((h) => h.dedupe))).size === 299,
  );
  t.ok((system.stats().actors[0]?.threadsLost ?? 0) >= 3);
});

t.test('a receive that hangs costs its thread, and in the end its message', async (t) => {
  const { log, stored, tell } = await start<Recorded>(t, 'recorder', { receiveMsMax: 200 }, 1);
  await tell('1', 'hang', 'hung');
  await tell('2', 'ok', 'fine');
  await until('all is handled', () => log.lag() === 0, 30_000);
  t.match(stored, [{ envelope: { dedupe: 'hung' } }]);
});

t.test('a receive that blocks its thread costs it too', async (t) => {
  const { log, stored, tell, system } = await start<Recorded>(t, 'recorder', { receiveMsMax: 400 }, 1);
  await tell('1', 'block', 'blocks');
  await tell('2', 'ok', 'fine');
  await until('all is handled', () => log.lag() === 0, 30_000);
  t.match(stored, [{ envelope: { dedupe: 'blocks' } }]);
  t.ok((system.stats().actors[0]?.threadsLost ?? 0) >= 3);
});

t.test('keyed actors: one activation a key, never two calls at once, passivated when idle', async (t) => {
  const { log, said, tell, system } = await start<Counted>(t, 'counter');
  const counted = () => said.filter(({ key }) => key === '7').at(-1)?.count ?? 0;
  await Promise.all(Array.from({ length: 600 }, (_, n) => tell(`${n % 30}`, '')));
  await until('all is handled', () => log.lag() === 0 && counted() === 20);
  t.ok(said.every(({ others }) => others === 0));
  await until('the idle ones are gone', () => system.stats().actors[0]?.live === 0);
  const before = said.length;
  await tell('7', '');
  await until('the count of a new activation starts anew', () => said.length > before && counted() === 1);
});

t.test('bytes that are no envelope become a dead letter, and hold up nobody', async (t) => {
  const { log, stored, tell } = await start<Recorded>(t, 'recorder');
  const raw = Buffer.from('no envelope');
  log.open('recorder')[1]?.append(raw, { appended() {}, appendFailed: t.threw });
  await tell('1', 'ok');
  await until('all is handled', () => log.lag() === 0);
  t.match(stored, [{ cause: { code: 'TETHER_ENVELOPE_MALFORMED' }, envelope: { actor: 'recorder' } }]);
  t.equal(Buffer.from(stored[0]?.envelope.payload ?? []).toString(), 'no envelope');
});

t.test('drain keeps what is not done on the log, and the next system takes it up', async (t) => {
  const log = new MemoryLog(8);
  const first = await start<Recorded>(t, 'recorder', {
    log,
    retry: { attemptsMax: 9, delayMs: 60_000, delayMsMax: 60_000 },
  });
  await first.tell('1', 'fail:1', 'held');
  await until('it is with a thread', () => (first.system.stats().actors[0]?.inFlight ?? 0) > 0);
  await first.system.drain(5_000);
  t.equal(first.system.mode, 'stopped');
  t.equal(log.lag(), 1);
  await first.tell('2', 'ok', 'later');
  t.equal(log.lag(), 2);
  await start<Recorded>(t, 'recorder', { log });
  await until('all is handled', () => log.lag() === 0);
});

t.test('caughtUp waits for what is on the log by now, and for no longer than it is told', async (t) => {
  const retry = { attemptsMax: 9, delayMs: 60_000, delayMsMax: 60_000 };
  const { log, tell, system } = await start<Recorded>(t, 'recorder', { retry });
  await Promise.all(Array.from({ length: 500 }, (_, n) => tell(`${n}`, 'ok')));
  t.equal(await system.caughtUp('recorder', 60_000), true);
  t.equal(log.lag(), 0);
  await tell('1', 'fail:1');
  t.equal(await system.caughtUp('recorder', 50), false);
  await t.rejects(system.caughtUp('nobody', 50), { code: 'TETHER_POOL_REQUEST' });
  const waits = system.caughtUp('recorder', 60_000);
  await Promise.all([system.drain(5_000), system.drain(5_000)]);
  t.equal(await waits, false);
  await system.drain();
  await t.rejects(system.ref('recorder', '1').ask('late'), { code: 'TETHER_SYSTEM_MODE' });
});

t.test('a start that fails leaves nothing that runs', async (t) => {
  const deadLetters = { put: async () => {} };
  const failed = ActorSystem.start({ log: new MemoryLog(1), deadLetters, actors: [module('missing')] });
  await t.rejects(failed, { code: 'TETHER_ACTOR_MODULE' });
  const source = module('recorder').replace('/dist/', '/').replace(/js$/, 'ts');
  await t.rejects(ActorSystem.start({ log: new MemoryLog(1), deadLetters, actors: [source] }), {
    message: /Unknown file extension .*; name the compiled file$/,
  });
  const system = await ActorSystem.start({
    log: new MemoryLog(1),
    deadLetters,
    actors: [module('recorder')],
  });
  t.equal(system.mode, 'running');
  t.throws(() => system.ref('recorder', 5 as never), TypeError);
  t.throws(() => system.ref('recoder', '5').tell(1), {
    message: 'no actor recoder is registered; there is recorder',
  });
  await system.drain();
});

t.test('a drain while the system starts leaves nothing that runs', async (t) => {
  const log = new MemoryLog(2);
  const system = new ActorSystem({
    log,
    deadLetters: { put: async () => {} },
    actors: [{ module: module('recorder'), threads: 1, settings: { channel: randomUUID() } }],
    retry: { attemptsMax: 3, delayMs: 10, delayMsMax: 50 },
    logger: silentLogger,
    logLevel: 'error',
  });
  const started = system.start();
  await system.drain(5_000);
  await started;
  t.match(system.stats(), { mode: 'stopped', actors: [] });
});

t.test('a module that is no actor, and messages of an actor that is not there, stop the start', async (t) => {
  const log = new MemoryLog(1);
  log.open('gone')[0]?.append(Buffer.alloc(1), { appended() {}, appendFailed: t.threw });
  await until('it is on the log', () => log.lag() === 1);
  await t.rejects(start(t, 'recorder', { log }), {
    code: 'TETHER_ACTOR_UNKNOWN',
    message: /1 messages for actor gone/,
  });
  await t.rejects(start(t, 'missing'), { code: 'TETHER_ACTOR_MODULE', message: /missing\.js does not load/ });
  await t.rejects(start(t, '../until'), { code: 'TETHER_ACTOR_MODULE', message: /no default export/ });
});

t.test('of a log that others read too, messages of an actor that is not there are theirs', async (t) => {
  const log = new MemoryLog(1);
  log.open('later')[0]?.append(Buffer.alloc(1), { appended() {}, appendFailed: t.threw });
  await until('it is on the log', () => log.lag() === 1);
  const warnings: object[] = [];
  const logger = { ...silentLogger, warn: (fields: object) => warnings.push(fields) };
  const { system, tell } = await start<Recorded>(t, 'recorder', { log, logger, ownership: 'none' });
  t.strictSame(warnings, [{ actor: 'later', waiting: 1 }]);
  system.adopt(0, () => 1);
  await tell('1', 'ok');
  await until('its own are handled', () => log.open('recorder')[0]?.committed === 1);
  t.equal(log.open('later')[0]?.committed, 0);
});
