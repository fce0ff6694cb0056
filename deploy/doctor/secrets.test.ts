/** Secrets that can be guessed are found wherever they stand, and never shown. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { hashedForm } from '../../gateway/auth/token.js';
import { configuration, debugging, logLevel } from './configuration.js';
import { secretChecks } from './secrets.js';
import { checkOf, find } from './test/find.js';

const strength = checkOf(secretChecks, 'secret-strength');
const GOOD = {
  TETHER_API_TOKEN: 'bQ7xk2Vn9tLw4ZsR',
  TETHER_DATABASE_URL: 'postgres://tether:kW3pYd8HvXq5Tz1m@192.0.2.1/tether',
  TETHER_REDIS_URL: 'redis://:uN6cJr0GfSa2Eo9b@192.0.2.1',
  TETHER_S3_URL: 'https://key:Mh4iLq7ZxBw1Ck8v@192.0.2.1/bucket',
};

const directory = await mkdtemp(join(tmpdir(), 'tether-doctor-'));
t.teardown(() => rm(directory, { recursive: true, force: true }));
const endpointsFile = join(directory, 'endpoints.yaml');
const writeEndpoints = async (token: string, secrets: readonly string[], mode = 0o600) => {
  const text = `endpoints:\n  - name: emp\n    provider: emp\n    token: ${token}\n    secrets: [${secrets.join(', ')}]\n`;
  await writeFile(endpointsFile, text);
  await chmod(endpointsFile, mode);
};

t.test('long and nobody else’s', async (t) => {
  await writeEndpoints('Vt5gHn2RkXp8Wd3s', ['env:EMP_PASSWORD']);
  const env = { ...GOOD, TETHER_ENDPOINTS: endpointsFile, EMP_PASSWORD: 'Yc9eUj6BmQz1Fo4a' };
  t.match(await find(strength, env, { mode: 'start' }), { outcome: 'ok', found: /^6 of them/ });
  const hashed = { ...env, TETHER_API_TOKEN: hashedForm(GOOD.TETHER_API_TOKEN) };
  t.match(await find(strength, hashed, { mode: 'start' }), { outcome: 'ok', found: /^6 of them/ });
});

t.test('each weak one is named, and none is shown', async (t) => {
  const weak: readonly (readonly [Record<string, string>, RegExp])[] = [
    [
      { TETHER_DATABASE_URL: 'postgres://tether:sh0rt-one@192.0.2.1/x' },
      /password of TETHER_DATABASE_URL has fewer than 16/,
    ],
    [
      { TETHER_REDIS_URL: 'redis://:changeme@192.0.2.1' },
      /password of TETHER_REDIS_URL is one of the documentation/,
    ],
    [{ TETHER_S3_URL: 'https://a:minioadmin@192.0.2.1/bucket' }, /secret key of TETHER_S3_URL is one of/],
    [{ TETHER_API_TOKEN: hashedForm('minioadmin') }, /TETHER_API_TOKEN is the hash of one of the doc/],
    [{ TETHER_API_TOKEN: 'aaaaaaaaaaaaaaaaaaaa' }, /TETHER_API_TOKEN has fewer than 5 different/],
  ];
  await writeEndpoints('Vt5gHn2RkXp8Wd3s', ['Yc9eUj6BmQz1Fo4a']);
  for (const [change, found] of weak) {
    const result = await find(
      strength,
      { ...GOOD, TETHER_ENDPOINTS: endpointsFile, ...change },
      { mode: 'start' },
    );
    t.match(result, { outcome: 'failed', found });
    t.notMatch(JSON.stringify(result), /sh0rt-one|changeme|minioadmin|aaaa/);
  }
  await writeEndpoints('dev', ['test-api-password-1']);
  t.match(await find(strength, { ...GOOD, TETHER_ENDPOINTS: endpointsFile }, { mode: 'start' }), {
    outcome: 'failed',
    found: /token of endpoint emp is one of the doc.*\n.*secrets\[0\] of endpoint emp is one of the doc/,
  });
  t.match(await find(strength, {}, { mode: 'up' }), { outcome: 'warning', found: /for trying out/ });
  t.match(await find(strength, { TETHER_HOST: '0.0.0.0' }, { mode: 'up' }), { outcome: 'failed' });
});

t.test('the same twice', async (t) => {
  await writeEndpoints(GOOD.TETHER_API_TOKEN, ['Yc9eUj6BmQz1Fo4a']);
  t.match(await find(strength, { ...GOOD, TETHER_ENDPOINTS: endpointsFile }, { mode: 'start' }), {
    outcome: 'warning',
    found: 'TETHER_API_TOKEN and the token of endpoint emp are the same',
  });
});

t.test('who may read the endpoints file and those that it names', async (t) => {
  const check = () =>
    find(checkOf(secretChecks, 'endpoints-file'), { TETHER_ENDPOINTS: endpointsFile }, { mode: 'start' });
  await writeEndpoints('Vt5gHn2RkXp8Wd3s', ['env:EMP_PASSWORD'], 0o644);
  t.match(await check(), { outcome: 'failed', found: /0644: others may read/, advice: /chmod 600/ });
  await writeEndpoints('env:EMP_TOKEN', ['env:EMP_PASSWORD'], 0o644);
  t.match(await check(), { outcome: 'ok' }, 'it holds no secret');
  await chmod(endpointsFile, 0o666);
  t.match(await check(), { outcome: 'failed', found: /may change/, advice: /chmod go-w/ });
  const secret = join(directory, 'password');
  await writeFile(secret, 'Yc9eUj6BmQz1Fo4a', { mode: 0o644 });
  await chmod(secret, 0o644);
  await writeEndpoints('env:EMP_TOKEN', [`file:${secret}`], 0o644);
  t.match(await check(), { outcome: 'failed', found: /password is 0644: others may read/ });
  await chmod(secret, 0o600);
  t.match(await check(), { outcome: 'ok', found: /and 1 of secrets/ });
  await rm(endpointsFile);
  t.match(await check(), { outcome: 'failed', found: /not there/ });
});

t.test('the configuration, its log and the debugger', async (t) => {
  t.match(await find(configuration, { TETHER_PROT: '1' }, { mode: 'start' }), {
    outcome: 'failed',
    found: /TETHER_PROT is not a key: did you mean TETHER_PORT\?\nTETHER_ENDPOINTS is not set/,
  });
  t.match(await find(configuration, {}), { outcome: 'ok' });
  t.match(await find(configuration, { TETHER_DURABILITY: 'memory' }), { outcome: 'warning' });
  t.match(await find(logLevel, {}), { outcome: 'ok' });
  t.match(await find(logLevel, { TETHER_LOG_LEVEL: 'debug' }), { outcome: 'warning', advice: /info/ });
  t.match(await find(logLevel, { TETHER_LOG_LEVEL: 'silent' }), { outcome: 'warning' });
  t.match(await find(debugging, {}), { outcome: 'skipped' });
  t.match(await find(debugging, { NODE_OPTIONS: '--max-old-space-size=512' }), { outcome: 'ok' });
  t.match(await find(debugging, { NODE_OPTIONS: '-r x --inspect=0.0.0.0:9229' }), {
    outcome: 'failed',
    found: /inspector at 0\.0\.0\.0:9229/,
  });
  t.match(await find(debugging, { NODE_TLS_REJECT_UNAUTHORIZED: '0' }), { outcome: 'failed' });
});
