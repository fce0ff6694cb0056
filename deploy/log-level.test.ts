import t from 'tap';
import { logLevelRoutes } from '../gateway/index.js';
import { startTestGateway } from '../gateway/test/start.js';
import { ManualClock } from '../runtime/clock.js';
import { LogFullError } from '../runtime/errors.js';
import { runLogLevel } from './commands/log-level-run.js';
import { LogLevelControl } from './log-level.js';
import { createLogger } from './logger.js';
import type { LogLevel } from './settings.js';
import { spawnCli } from './test/spawn-cli.js';

const MINUTE = 60_000;
const TOKEN = 'a-token-of-some-length';

function make(configured: LogLevel = 'info') {
  const lines: { level: string; msg: string; err?: { stack?: string } }[] = [];
  const stream = { write: (line: string) => lines.push(JSON.parse(line)) };
  const logger = createLogger({ level: configured, stream });
  const clock = new ManualClock(1_000);
  const levels = new LogLevelControl(logger, configured, clock);
  /** The levels of which a line is written. */
  const written = () => {
    lines.length = 0;
    for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const) logger[level]({}, level);
    return lines.map(({ level }) => level);
  };
  return { levels, logger, clock, lines, written };
}

t.test('a change holds for its time, for the main thread and the others, and goes back', async (t) => {
  const { levels, clock, written, lines } = make();
  t.strictSame(levels.state(), { level: 'info', configured: 'info', until: null });
  levels.set('debug', 10 * MINUTE);
  t.strictSame(levels.state(), { level: 'debug', configured: 'info', until: 1_000 + 10 * MINUTE });
  t.strictSame(written(), ['debug', 'info', 'warn', 'error']);
  t.equal(levels.threads.get(), 'debug');
  clock.advance(10 * MINUTE - 1);
  t.equal(levels.state().level, 'debug');
  clock.advance(1);
  t.match(lines.at(-1), { msg: /goes back/, from: 'debug', to: 'info' });
  t.strictSame(levels.state(), { level: 'info', configured: 'info', until: null });
  t.strictSame(written(), ['info', 'warn', 'error']);
  t.equal(levels.threads.get(), 'info');
});

t.test('a new change takes the place of the one before, with its time', async (t) => {
  const { levels, clock } = make('silent');
  t.equal(levels.threads.get(), 'error');
  levels.set('trace', MINUTE);
  t.equal(levels.threads.get(), 'debug');
  levels.set('warn', undefined);
  clock.advance(2 * MINUTE);
  t.strictSame(levels.state(), { level: 'warn', configured: 'silent', until: null });
  levels.set('debug', MINUTE);
  levels.stop();
  t.equal(clock.pending, 0, 'nothing keeps the process');
});

t.test('an expected error has its stack while the level is debug', async (t) => {
  const { levels, logger, lines } = make();
  for (const level of ['info', 'debug', 'error'] as const) {
    levels.set(level, undefined);
    logger.error({ err: new LogFullError('no room') }, 'expected');
  }
  t.strictSame(
    lines.map(({ err }) => err?.stack !== undefined),
    [false, true, false],
  );
});

t.test('over the API, and by the command', async (t) => {
  const { levels, clock } = make();
  const noted: unknown[] = [];
  const { gateway, ask } = await startTestGateway(t, {
    operations: {
      token: TOKEN,
      version: '1.0.0',
      routes: logLevelRoutes(levels),
      audit: { record: async (entry) => void noted.push(entry) },
    },
    now: () => clock.now(),
  });
  const env = { TETHER_URL: `http://127.0.0.1:${gateway.port}`, TETHER_API_TOKEN: TOKEN };
  t.equal(await runLogLevel(undefined, {}, env), 'info, as configured\n');
  t.equal(
    await runLogLevel('debug', {}, env),
    'debug until 1970-01-01T01:00:01.000Z, then info as configured\n',
    'an hour, if not said',
  );
  t.match(await spawnCli(['log-level', 'trace', '--for', '15'], env), {
    code: 0,
    stdout: /^trace until 1970-01-01T00:15:01.000Z/,
    stderr: '',
  });
  t.same(JSON.parse(await runLogLevel('warn', { json: true }, env)), {
    level: 'warn',
    configured: 'info',
    until: null,
  });
  t.match(await runLogLevel(undefined, {}, env), /^warn until the next start, then info/);
  t.match(noted.at(-1), {
    action: 'log-level.change',
    target: 'log',
    before: { level: 'trace' },
    after: { level: 'warn' },
  });
  t.equal(noted.length, 3);

  const headers = [`Authorization: Bearer ${TOKEN}`, 'Content-Type: application/json'];
  for (const body of [
    { level: 'silent' },
    { level: 'debug', forMinutes: 1_441 },
    { level: 'debug', forMinutes: 0 },
    {},
  ]) {
    const answer = await ask({ method: 'PUT', path: '/api/log-level', headers, body: JSON.stringify(body) });
    t.equal(answer.status, 400, JSON.stringify(body));
  }
  t.match(await spawnCli(['log-level', 'loud'], env), { code: 64, stderr: /Allowed are trace, debug/ });
  t.match(await spawnCli(['log-level', '--for', '5'], env), { code: 78, stderr: /--for needs a level/ });
  t.equal(levels.state().level, 'warn');
});
