import t from 'tap';
import { LogFullError } from '../runtime/errors.js';
import { createLogger } from './logger.js';
import type { LogLevel } from './settings.js';

function capture(secrets: string[] = [], level: LogLevel = 'info') {
  const lines: string[] = [];
  const logger = createLogger({ level, secrets, stream: { write: (line: string) => lines.push(line) } });
  return { logger, lines };
}

t.test('a line is JSON with level, time and fields', async (t) => {
  const { logger, lines } = capture();
  logger.info({ port: 8080 }, 'listening');
  logger.debug({}, 'not at this level');
  t.equal(lines.length, 1);
  t.match(JSON.parse(lines[0] ?? ''), { level: 'info', time: /^\d{4}-/, port: 8080, msg: 'listening' });
});

t.test('an error that is expected comes without its stack, but at debug; any other with it', async (t) => {
  const expected = new LogFullError('no room', { cause: new Error('ENOSPC') });
  for (const level of ['info', 'debug'] as const) {
    const { logger, lines } = capture([], level);
    logger.warn({ err: expected }, 'expected');
    logger.warn({ err: new Error('a bug') }, 'unexpected');
    const [first, second] = lines.map((line) => JSON.parse(line));
    t.match(first.err, { type: 'LogFullError', code: 'TETHER_LOG_FULL', message: /no room/ });
    t.equal(first.err.stack === undefined, level === 'info');
    t.match(JSON.stringify(first.err), /ENOSPC/);
    t.type(second.err.stack, 'string');
  }
});

t.test('what lets somebody in or pays is found by its form, though nobody named it', async (t) => {
  const { logger, lines } = capture(['with/slash+and=more']);
  const token = `tether_${'aB3_-'.repeat(9).slice(0, 43)}`;
  const pem = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n';
  logger.info(
    { url: 'https://s3/b/k?X-Amz-Signature=0badc0ffee&X-Amz-Credential=AKIA%2F1&part=2' },
    'a signed URL',
  );
  logger.info({ text: `sent ${token}, and with%2Fslash%2Band%3Dmore` }, 'a token of a client');
  logger.warn({ err: new Error(`not a key: ${pem}`) }, 'a key');
  logger.warn({ text: 'DE89370400440532013000 and 4111 1111 1111 1111', card: 5555555555554444 }, 'payments');
  const all = lines.join('');
  t.notMatch(all, /0badc0ffee|AKIA|tether_aB3|slash|MIGHAg|0400440532|1111 1111|55555554/);
  t.match(all, /part=2.*sent \[redacted\], and.*DE89\*+3000 and 411111\*{6}1111.*5555550000004444/s);
  t.equal(lines.length, 4);
  for (const line of lines) t.doesNotThrow(() => JSON.parse(line), line);
});

t.test('no form of a secret gets out', async (t) => {
  const { logger, lines } = capture(['test-api-password-1', 'with "quotes" in it']);
  logger.info(
    { password: 'hunter2', endpoint: { secrets: ['hunter2'], inner: { token: 'hunter2' } } },
    'fields',
  );
  logger.warn({ headers: { authorization: 'Bearer hunter2', Authorization: 'hunter2' } }, 'headers');
  logger.error({ error: new Error('connect postgres://tether:hunter2@db/x failed') }, 'error');
  logger.error({ error: new Error('sent Authorization: Bearer hunter2') }, 'error');
  logger.info({ text: 'password is test-api-password-1, with "quotes" in it' }, 'test-api-password-1');
  const all = lines.join('');
  t.equal(lines.length, 5);
  t.notMatch(all, /hunter2|api-password|quotes/);
  t.match(all, /postgres:\/\/\[redacted\]@db/);
  for (const line of lines) t.doesNotThrow(() => JSON.parse(line), line);
});
