import t from 'tap';
import { silentLogger, stderrLogger } from './logger.js';
import { type ActorSystemOptions, fillSystemOptions } from './system-options.js';
import { MemoryLog } from './testing/memory-log.js';

const fill = (more: object = {}) =>
  fillSystemOptions({
    log: new MemoryLog(1),
    deadLetters: { put: async () => {} },
    actors: [],
    ...more,
  } as ActorSystemOptions);

t.test('an actor is registered by the URL of its module, alone or with more', async (t) => {
  const url = new URL('file:///a.js');
  t.strictSame(
    fill({
      actors: [
        url,
        url.href,
        { module: url, threads: { min: 1, max: 2 }, lazy: true, youngHeapMib: 48, settings: 5 },
      ],
    }).actors,
    [
      { module: url.href, threads: 1, lazy: false, youngHeapMib: 16, settings: undefined },
      { module: url.href, threads: 1, lazy: false, youngHeapMib: 16, settings: undefined },
      { module: url.href, threads: { min: 1, max: 2 }, lazy: true, youngHeapMib: 48, settings: 5 },
    ],
  );
  t.throws(() => fill({ actors: ['./a.js'] }), {
    code: 'TETHER_ACTOR_MODULE',
    message: /module \.\/a\.js is no URL/,
  });
  t.throws(() => fill({ actors: [{ type: 'account' }] }), {
    message: /the module of actor account is no URL/,
  });
});

t.test('what is missing or wrong is named, with what is right', async (t) => {
  t.throws(() => fill({ log: Promise.resolve() }), /openJournal/);
  t.throws(() => fill({ deadLetters: undefined }), /openFolder/);
  t.throws(() => fill({ actors: undefined }), /no list/);
  t.throws(() => fill({ snapshots: { load() {} } }), /stores\.snapshots/);
});

t.test('the level of lines follows from the logger', async (t) => {
  t.equal(fill().logLevel.get(), 'warn');
  t.equal(fill({ logger: silentLogger }).logLevel.get(), 'info');
  t.equal(fill({ logLevel: 'debug' }).logLevel.get(), 'debug');
});

t.test('lines for people', async (t) => {
  const lines: string[] = [];
  const logger = stderrLogger('warn', (line) => lines.push(line));
  logger.info({}, 'left out');
  logger.warn({ actor: 'account', thread: 0, err: new Error('no such host') }, 'a thread waits');
  logger.error({ err: { message: 'of a thread', stack: '' }, why: 'two words' }, 'it is over');
  t.strictSame(lines, [
    'tether warn: a thread waits actor=account thread=0 err="no such host"\n',
    `tether error: it is over err="of a thread" why='two words'\n`,
  ]);
});
