import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig, secretsOf } from './config.js';
import { CONFIG_KEY_NAMES } from './config-keys.js';
import { configTable, envExample } from './config-text.js';
import { ConfigError } from './errors.js';
import { parseSettings } from './settings.js';

function problemsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const IBAN_KEY = `2026:${Buffer.from(Array.from({ length: 32 }, (_, n) => n)).toString('base64')}`;

t.test('an empty environment gives the defaults, total and frozen', async (t) => {
  const settings = parseSettings({ PATH: '/usr/bin' });
  t.match(settings, {
    port: 8080,
    host: '127.0.0.1',
    url: 'http://127.0.0.1:8080',
    databaseUrl: undefined,
    logDriver: 'journal',
    role: 'all',
    durability: 'commit',
    partitions: 64,
    journal: { bytesMax: 4 * 1024 ** 3, segmentBytes: 64 * 1024 ** 2 },
    threads: 2,
    answersFirstMs: 1_500,
    retry: { attemptsMax: 5, delayMs: 200, delayMsMax: 10_000 },
    drainNoticeMs: 0,
    drainMsMax: 30_000,
    chargebackBlacklistCodes: ['AC01', 'AC04', 'AC06', 'AG01', 'MD01'],
    idempotencyEntriesMax: 50_000,
    trustedProxies: [],
    archive: { afterMs: undefined, keepDays: 0 },
    auditKeepDays: 0,
    uploads: {
      s3Url: undefined,
      s3Encryption: undefined,
      textBytesMax: 512 * 1024 ** 2,
      xlsxBytesMax: 50 * 1024 ** 2,
      activeMax: 32,
      expiryMs: 86_400_000,
      threads: 1,
    },
    proxyProtocol: false,
    connectionsMax: 16_384,
    tls: undefined,
    logLevel: 'info',
  });
  t.equal(settings.dataDir, join(process.cwd(), '.tether'));
  t.ok(Object.isFrozen(settings) && Object.isFrozen(settings.retry));
});

t.test('every key is read', async (t) => {
  const settings = parseSettings({
    TETHER_PORT: '0',
    TETHER_HOST: '::',
    TETHER_DATA_DIR: '/var/lib/tether',
    TETHER_DATABASE_URL: 'postgres://u:p@db:5432/tether',
    TETHER_API_TOKEN: 'a-token-of-some-length',
    TETHER_ENDPOINTS: '/etc/tether/endpoints.yaml',
    TETHER_URL: 'https://tether.example/',
    TETHER_DURABILITY: 'memory',
    TETHER_PARTITIONS: '8',
    TETHER_JOURNAL_BYTES_MAX: '16MiB',
    TETHER_JOURNAL_SEGMENT_BYTES: '4MiB',
    TETHER_THREADS: '64',
    TETHER_RETRY_ATTEMPTS_MAX: '3',
    TETHER_RETRY_DELAY_MS: '10',
    TETHER_RETRY_DELAY_MS_MAX: '20',
    TETHER_DRAIN_MS_MAX: '0',
    TETHER_CHARGEBACK_BLACKLIST_CODES: '',
    TETHER_IBAN_KEYS: IBAN_KEY,
    TETHER_IDEMPOTENCY_ENTRIES_MAX: '1',
    TETHER_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
    TETHER_PROXY_PROTOCOL: 'off',
    TETHER_LOG_LEVEL: 'debug',
    TETHER_S3_URL: 'http://key:s%2Fcret@minio:9000/files/tether?region=eu-central-1',
    TETHER_UPLOAD_BYTES_MAX: '5GiB',
    TETHER_UPLOAD_XLSX_BYTES_MAX: '10MiB',
    TETHER_UPLOAD_ACTIVE_MAX: '4',
    TETHER_UPLOAD_EXPIRY_MS: '3600000',
    TETHER_UPLOAD_THREADS: '1-4',
    TETHER_S3_SSE: 'aws:kms:alias/files',
    TETHER_ARCHIVE_AFTER_MS: '604800000',
    TETHER_ARCHIVE_KEEP_DAYS: '7',
    TETHER_AUDIT_KEEP_DAYS: '400',
    TETHER_CONNECTIONS_MAX: '100',
    TETHER_LOG_DRIVER: 'journal',
    TETHER_ROLE: 'all',
    TETHER_TLS_CERT_FILE: '/etc/tether/tls.pem',
    TETHER_TLS_KEY_FILE: '/etc/tether/tls.key',
  });
  t.strictSame(settings.chargebackBlacklistCodes, [], 'an empty list is a list');
  t.strictSame(settings.trustedProxies, ['10.0.0.0/8', '::1/128']);
  t.equal(settings.url, 'https://tether.example');
  t.equal(settings.port, 0);
  t.equal(settings.proxyProtocol, false);
  t.equal(parseSettings({ TETHER_PROXY_PROTOCOL: 'on' }).proxyProtocol, true);
  t.strictSame(settings.tls, { certFile: '/etc/tether/tls.pem', keyFile: '/etc/tether/tls.key' });
  t.match(settings.uploads, { textBytesMax: 5 * 1024 ** 3, activeMax: 4, expiryMs: 3_600_000 });
  t.equal(settings.uploads.s3Encryption, 'aws:kms:alias/files');
  t.strictSame(settings.archive, { afterMs: 604_800_000, keepDays: 7 });
  t.equal(settings.auditKeepDays, 400);
  t.equal(settings.connectionsMax, 100);
  t.strictSame([settings.threads, settings.uploads.threads], [64, { min: 1, max: 4 }]);
});

t.test('a wrong value names the key, what was given and what is allowed', async (t) => {
  const wrong: [string, string, RegExp][] = [
    ['TETHER_PORT', '80a', /^TETHER_PORT is "80a": allowed is a whole number from 0 to 65535$/],
    ['TETHER_PORT', '65536', /allowed/],
    ['TETHER_PORT', '-1', /allowed/],
    ['TETHER_PORT', 'NaN', /allowed/],
    ['TETHER_PORT', '1e3', /allowed/],
    ['TETHER_PORT', 'tcp://10.0.0.1:80', /enableServiceLinks/],
    ['TETHER_HOST', 'http://x', /an address or host name/],
    ['TETHER_THREADS', '0', /from 1 to 64/],
    ['TETHER_THREADS', '65', /from 1 to 64/],
    ['TETHER_THREADS', '4-1', /such as 1-4/],
    ['TETHER_THREADS', '1-65', /such as 1-4/],
    ['TETHER_THREADS', '0-4', /such as 1-4/],
    ['TETHER_THREADS', '1-', /such as 1-4/],
    ['TETHER_UPLOAD_THREADS', '-4', /such as 1-4/],
    ['TETHER_JOURNAL_BYTES_MAX', '4GB', /KiB, MiB or GiB/],
    ['TETHER_CHARGEBACK_BLACKLIST_CODES', 'ac01', /capital letters/],
    ['TETHER_TRUSTED_PROXIES', '10.0.0.0/40', /networks/],
    ['TETHER_DURABILITY', 'replicated', /needs the redis driver/],
    ['TETHER_LOG_DRIVER', 'redis', /needs TETHER_REDIS_URL/],
    ['TETHER_REDIS_URL', 'redis://a', /^TETHER_DATABASE_URL is not set/],
    ['TETHER_LOG_DRIVER', 'kafka', /one of journal, redis/],
    ['TETHER_ROLE', 'gateway', /by TETHER_REDIS_URL/],
    ['TETHER_LOG_LEVEL', 'loud', /one of trace/],
    ['TETHER_JOURNAL_SEGMENT_BYTES', '4GiB', /from 1MiB to 1GiB/],
    ['TETHER_JOURNAL_BYTES_MAX', '100MiB', /^TETHER_JOURNAL_SEGMENT_BYTES is more than half/],
    ['TETHER_RETRY_DELAY_MS', '10001', /at most TETHER_RETRY_DELAY_MS_MAX/],
    ['TETHER_UPLOAD_BYTES_MAX', '0', /from 1MiB/],
    ['TETHER_UPLOAD_EXPIRY_MS', '1', /from 60000/],
    ['TETHER_ARCHIVE_AFTER_MS', '0', /from 60000/],
    ['TETHER_ARCHIVE_KEEP_DAYS', '-1', /from 0/],
    ['TETHER_S3_SSE', 'aes', /none, AES256, aws:kms/],
    ['TETHER_S3_SSE', 'AES256', /that needs TETHER_S3_URL/],
    ['TETHER_URL', 'ftp://x', /http:/],
    ['TETHER_URL', 'http://x:1/foo', /^TETHER_URL is "http:\/\/x:1\/foo": allowed is .* without a path$/],
    ['TETHER_URL', 'http://x:1//', /without a path/],
    ['TETHER_URL', 'http://x:1/?a=b', /without a path/],
    ['TETHER_URL', 'http://x:1#a', /without a path/],
    ['TETHER_URL', 'http://me@x:1', /without a path/],
  ];
  for (const [key, value, message] of wrong) {
    const problems = problemsOf(() => parseSettings({ [key]: value }));
    t.equal(problems.length, 1, `${key}=${value}`);
    const [problem] = problems;
    t.match(problem, message);
    t.match(problem, /^TETHER_[A-Z0-9_]+ is /);
  }
});

t.test('bodies are not removed before they are archived', async (t) => {
  const env = { TETHER_ARCHIVE_AFTER_MS: '86400001', TETHER_ARCHIVE_KEEP_DAYS: '1' };
  t.match(problemsOf(() => parseSettings(env))[0], /at most TETHER_ARCHIVE_KEEP_DAYS, which is 1$/);
  t.strictSame(
    problemsOf(() => parseSettings({ ...env, TETHER_ARCHIVE_AFTER_MS: '86400000' })),
    [],
  );
});

t.test('an unknown key stops the start, with a suggestion', async (t) => {
  t.strictSame(
    problemsOf(() => parseSettings({ TETHER_PROT: '1' })),
    ['TETHER_PROT is not a key: did you mean TETHER_PORT?'],
  );
  t.match(problemsOf(() => parseSettings({ TETHER_KAFKA: '1' }))[0], /not a key; the keys are in/);
  t.match(problemsOf(() => parseSettings({ TETHER_SERVICE_HOST: '10.0.0.1' }))[0], /enableServiceLinks/);
  t.strictSame(
    problemsOf(() => parseSettings({ constructor: 'x', __proto__x: 'y' })),
    [],
  );
  t.match(problemsOf(() => parseSettings({ TETHER_constructor: 'x' }))[0], /not a key/);
});

t.test('every problem is told at once', async (t) => {
  const env = { TETHER_PORT: 'x', TETHER_THREADS: 'y', TETHER_NO: '', TETHER_ROLE: 'worker' };
  t.equal(problemsOf(() => parseSettings({ ...env, TETHER_LOG_DRIVER: 'kafka' })).length, 5);
});

t.test('a secret never stands in a message', async (t) => {
  const message = problemsOf(() =>
    parseSettings({
      TETHER_DATABASE_URL: 'mysql://root:hunter2@db/x',
      TETHER_API_TOKEN: 'hunter2 hunter2 hunter2',
      TETHER_REDIS_URL: 'http://:hunter2@db',
      TETHER_IBAN_KEYS: `hunter2:${IBAN_KEY},${IBAN_KEY}`,
    }),
  ).join('\n');
  t.notMatch(message, /hunter2/);
  t.match(message, /TETHER_DATABASE_URL has a value that is refused: allowed is a URL of the form postgres:/);
  t.match(message, /TETHER_API_TOKEN has a value that is refused/);
  t.match(message, /TETHER_IBAN_KEYS has a value that is refused: allowed is up to 8 keys/);
  t.notOk(message.includes(IBAN_KEY.slice(5)));
});

t.test('an option wins over the environment, and a message names it', async (t) => {
  const overrides = new Map([['TETHER_PORT' as const, { option: '--port', value: '9000' }]]);
  t.equal(parseSettings({ TETHER_PORT: '1' }, overrides).port, 9000);
  const wrong = new Map([['TETHER_PORT' as const, { option: '--port', value: 'x' }]]);
  t.match(problemsOf(() => parseSettings({}, wrong))[0], /^--port \(TETHER_PORT\) is "x"/);
});

t.test('up: the default endpoint, and a token that is made once and kept private', async (t) => {
  const dir = join(t.testdir(), 'data', 'deep');
  // At different points of each other's way, so that one finds what another is about to make.
  const starts = Array.from({ length: 10 }, async (_, i) => {
    for (let turn = 0; turn < i * 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    return loadConfig({ TETHER_DATA_DIR: dir }, 'up');
  });
  const [first, ...others] = await Promise.all(starts);
  if (first === undefined) throw new TypeError('there are ten');
  t.match(first.apiToken, /^[A-Za-z0-9_-]{43}$/);
  t.ok(
    others.every((other) => other.apiToken === first.apiToken),
    'first starts at once agree',
  );
  t.equal(first.apiTokenFile, join(dir, 'api-token'));
  t.equal(statSync(join(dir, 'api-token')).mode & 0o777, 0o600);
  t.equal((await loadConfig({ TETHER_DATA_DIR: dir }, 'up')).apiToken, first.apiToken);
  t.strictSame(first.endpoints, [
    { name: 'emp', provider: 'emp', token: 'dev', secrets: ['test-api-password-1'], actor: 'payment' },
  ]);
  t.ok(Object.isFrozen(first) && Object.isFrozen(first.endpoints));
  t.strictSame(first.warnings, []);
  t.ok(secretsOf(first).includes(first.apiToken) && secretsOf(first).includes('test-api-password-1'));
});

t.test('up: a published password on an open address is warned of', async (t) => {
  const dir = t.testdir();
  const config = await loadConfig(
    { TETHER_DATA_DIR: dir, TETHER_HOST: '0.0.0.0', TETHER_DURABILITY: 'memory' },
    'up',
  );
  t.match(config.warnings, [/public password/, /loses acknowledged/]);
  t.equal(config.url, 'http://127.0.0.1:8080');
});

t.test('up: a token file that holds no token, or cannot be written', async (t) => {
  const dir = t.testdir({ 'api-token': '\n', file: 'x' });
  await t.rejects(loadConfig({ TETHER_DATA_DIR: dir }, 'up'), { message: /holds no token/ });
  await t.rejects(loadConfig({ TETHER_DATA_DIR: join(dir, 'file', 'x') }, 'up'), {
    code: 'TETHER_CONFIG_REFUSED',
    message: /^TETHER_DATA_DIR/,
  });
});

t.test('start: what the embedded default would make up has to be given', async (t) => {
  const dir = t.testdir();
  const refused = await loadConfig({ TETHER_DATA_DIR: join(dir, 'data') }, 'start').catch(
    (error: unknown) => error,
  );
  if (!(refused instanceof ConfigError)) throw refused;
  t.match(refused.problems, [/^TETHER_ENDPOINTS is not set/, /^TETHER_DATABASE_URL/, /^TETHER_API_TOKEN/]);
  t.throws(() => statSync(join(dir, 'data')), 'nothing was written');

  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'endpoints.yaml');
  const env = {
    TETHER_DATA_DIR: dir,
    TETHER_ENDPOINTS: file,
    TETHER_DATABASE_URL: 'postgres://u:p@db/tether',
    TETHER_API_TOKEN: 'a-token-of-some-length',
  };
  writeFileSync(file, 'endpoints: [{ name: emp, provider: emp, token: x1, secrets: [test-api-password-1] }]');
  await t.rejects(loadConfig(env, 'start'), {
    message: /endpoint emp: secrets: .*public.*\n.*endpoint emp: token: has fewer than 16/,
  });
  for (const wrong of ['endpoints: [', 'endpoints: 7']) {
    writeFileSync(file, wrong);
    const failure = await loadConfig(env, 'start').catch((error: unknown) => error);
    t.equal(failure instanceof ConfigError && failure.problems.length, 1, 'nothing about what is not there');
  }
  const token = 'a-token-of-16-ch';
  writeFileSync(file, `endpoints: [{ name: emp, provider: emp, token: ${token}, secrets: ["env:EMP"] }]`);
  const config = await loadConfig({ ...env, EMP: 'from-the-environment' }, 'start');
  t.strictSame(config.endpoints[0]?.secrets, ['from-the-environment']);
  t.equal(config.apiTokenFile, undefined);
});

t.test(
  'nodes that share a Redis: the log is there, a worker needs no endpoints, and the password is a secret',
  async (t) => {
    const env = {
      TETHER_DATA_DIR: t.testdir(),
      TETHER_REDIS_URL: 'redis://:hunter%202@redis:6379',
      TETHER_DATABASE_URL: 'postgres://u:p@db/tether',
      TETHER_API_TOKEN: 'a-token-of-some-length',
      TETHER_IBAN_KEYS: IBAN_KEY,
      TETHER_ROLE: 'worker',
    };
    const config = await loadConfig(env, 'start');
    t.match(config, { logDriver: 'redis', role: 'worker', endpoints: [] });
    t.match(config.warnings, [/TETHER_S3_URL is not set/]);
    for (const secret of [env.TETHER_REDIS_URL, 'hunter 2', 'hunter%202', IBAN_KEY, IBAN_KEY.slice(5)])
      t.ok(secretsOf(config).includes(secret), secret);
    await t.rejects(loadConfig({ ...env, TETHER_ROLE: 'gateway' }, 'start'), {
      message: /TETHER_ENDPOINTS is not set/,
    });
    const own = await loadConfig({ ...env, TETHER_LOG_DRIVER: 'journal', TETHER_ROLE: 'all' }, 'up');
    t.match(own, { logDriver: 'journal', redisUrl: undefined });
    const cluster = { ...env, TETHER_REDIS_URL: 'redis+cluster://a,b', TETHER_DURABILITY: 'replicated' };
    await t.rejects(loadConfig(cluster, 'start'), { message: /a Redis Cluster cannot tell/ });
  },
);

t.test('.env.example and the reference hold every key as it is declared', async (t) => {
  const example = readFileSync('.env.example', 'utf8');
  t.equal(example, envExample(), 'node dist/deploy/write-config-text.js writes it');
  const reference = readFileSync('docs/reference/configuration.md', 'utf8');
  const cells = (table: string) => table.replaceAll(/ +/g, ' ').replaceAll(/-+ \|/g, '- |');
  t.ok(
    cells(reference).includes(cells(configTable())),
    'the table of docs/reference/configuration.md is as declared',
  );
  for (const key of CONFIG_KEY_NAMES) t.ok(example.includes(`\n#${key}=`), key);
  t.strictSame(
    problemsOf(() => parseSettings(readEnv(example.replaceAll(/^#(?=TETHER_)/gm, '')))),
    [],
  );
});

function readEnv(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}
