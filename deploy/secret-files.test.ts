/** Secrets that stand in files: read for every secret key, refused with a clear word, and shown nowhere. */
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { showConfig } from './commands/config-run.js';
import { loadConfig } from './config.js';
import { CONFIG_KEY_NAMES, CONFIG_KEYS } from './config-keys.js';
import { configView } from './config-view.js';
import { secretChecks } from './doctor/secrets.js';
import { checkOf, find } from './doctor/test/find.js';
import { ConfigError } from './errors.js';
import { fileKeyOf, isHandedOut, readSecretFiles, SECRET_FILE_BYTES_MAX } from './secret-files.js';
import { parseSettings } from './settings.js';

const TOKEN = 'a-token-of-some-length';
const directory = t.testdir();
const file = (name: string, content: string | Uint8Array, mode = 0o600) => {
  const path = join(directory, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
};
const problemsOf = (env: Record<string, string>) => {
  try {
    parseSettings(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

t.test('every secret key has a file, no other key has, and one line end is cut off', async (t) => {
  for (const key of CONFIG_KEY_NAMES) {
    const path = file('each', 'value\r\n');
    const { env, files } = readSecretFiles({ [fileKeyOf(key)]: path });
    if (CONFIG_KEYS[key].secret) t.strictSame([env, files.get(key)], [{ [key]: 'value' }, path], key);
    else t.strictSame([env, files.size], [{ [fileKeyOf(key)]: path }, 0], key);
  }
  t.match(problemsOf({ TETHER_PORT_FILE: file('port', '80') })[0], /^TETHER_PORT_FILE is not a key/);
  t.equal(parseSettings({ TETHER_API_TOKEN_FILE: file('token', `${TOKEN}\n`) }).apiToken, TOKEN);
  t.equal(
    parseSettings({ TETHER_API_TOKEN_FILE: '', TETHER_API_TOKEN: TOKEN }).apiToken,
    TOKEN,
    'empty: not set',
  );
  t.equal(parseSettings({ TETHER_API_TOKEN_FILE: file('t', TOKEN), TETHER_API_TOKEN: '' }).apiToken, TOKEN);
});

t.test('what cannot be taken is one problem, with the path and never the content', async (t) => {
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const wrong: readonly (readonly [string, RegExp])[] = [
    [join(directory, 'none'), /none cannot be read: there is no such file$/],
    [directory, /is no regular file$/],
    [pipe, /is no regular file$/],
    [file('empty', '\n'), /empty is empty$/],
    [file('lines', `${TOKEN}\n${TOKEN}\n`), /has more than one line$/],
    [file('latin', Buffer.from('s\xe4cret-s\xe4cret-s\xe4cret', 'latin1')), /it is no UTF-8$/],
    [file('long', 'x'.repeat(SECRET_FILE_BYTES_MAX + 1)), /is larger than 65536 bytes$/],
    [file('weak', 'sec ret'), /^TETHER_API_TOKEN_FILE has a value that is refused: allowed is 16 to/],
  ];
  for (const [path, message] of wrong) {
    const problems = problemsOf({ TETHER_API_TOKEN_FILE: path });
    t.equal(problems.length, 1, path);
    t.match(problems[0], message);
    t.match(problems[0], /^TETHER_API_TOKEN_FILE/);
    t.notMatch(problems[0], /a-token|sec ret|cret-s/);
  }
  t.strictSame(problemsOf({ TETHER_API_TOKEN: TOKEN, TETHER_API_TOKEN_FILE: file('both', TOKEN) }), [
    'TETHER_API_TOKEN_FILE: TETHER_API_TOKEN is set as well: give one of the two',
  ]);
  // Not "is not set" as well.
  const start = await loadConfig({ TETHER_DATABASE_URL_FILE: join(directory, 'none') }, 'start').catch(
    (error: unknown) => (error instanceof ConfigError ? error.problems.join('\n') : ''),
  );
  t.match(start, /TETHER_API_TOKEN is not set/);
  t.notMatch(start, /TETHER_DATABASE_URL is not set/);
});

t.test('a file that others may read is warned of at the start, and failed by the doctor', async (t) => {
  const check = checkOf(secretChecks, 'secret-files');
  const path = file('open', TOKEN);
  const env = { TETHER_DATA_DIR: directory, TETHER_API_TOKEN_FILE: path };
  const warned = async () => (await loadConfig(env, 'up')).warnings.filter((line) => line.includes('_FILE'));
  for (const [mode, outcome] of [
    [0o600, 'ok'],
    [0o440, 'ok'],
    [0o644, 'failed'],
    [0o620, 'failed'],
  ] as const) {
    chmodSync(path, mode);
    const found = await find(check, env);
    t.equal(found.outcome, outcome, mode.toString(8));
    t.equal((await warned()).length, outcome === 'ok' ? 0 : 1, mode.toString(8));
    t.notMatch(JSON.stringify(found), TOKEN);
  }
  chmodSync(path, 0o644);
  t.match(await warned(), [/TETHER_API_TOKEN_FILE: .*open: others may read it; chmod 600/]);
  for (const [at, isOne] of [
    ['/run/secrets/api-token', true],
    ['/var/run/secrets/tether/api-token', true],
    ['/etc/tether/run/secrets/api-token', false],
  ] as const)
    t.equal(isHandedOut(at), isOne, at);
  t.match(await find(check, {}), { outcome: 'skipped' });
  t.match(
    await find(checkOf(secretChecks, 'secret-strength'), {
      TETHER_API_TOKEN_FILE: file('aaaa', 'a'.repeat(20)),
    }),
    {
      found: /TETHER_API_TOKEN has fewer than 5 different/,
    },
  );
});

t.test('the configuration is shown with where a secret comes from, and without it', async (t) => {
  const env = { TETHER_API_TOKEN_FILE: file('shown', TOKEN), TETHER_PORT: '9000' };
  const { text, exitCode } = await showConfig({ up: true }, env, new Map());
  t.match(text, /TETHER_API_TOKEN +file .*\/shown +\[redacted\]/);
  t.match(text, /TETHER_PORT +set +9000/);
  t.notMatch(text, /TETHER_HOST|a-token/);
  t.equal(exitCode, 0);
  const refused = await showConfig({ json: true }, { ...env, TETHER_API_TOKEN: TOKEN }, new Map());
  t.equal(refused.exitCode, 78);
  t.match(refused.notes, [/give one of the two/]);
  t.notMatch(JSON.stringify(refused), TOKEN);
  const unknown = configView(
    { resolvedEnv: { TETHER_API_TOKEN: TOKEN }, secretFiles: new Map() },
    new Map(),
    [],
  );
  t.notMatch(JSON.stringify(unknown), TOKEN, 'though nobody named its value');
  const { keys } = await loadConfig({ ...env, TETHER_DATA_DIR: directory }, 'up');
  t.match(
    keys.find(({ key }) => key === 'TETHER_API_TOKEN'),
    { source: 'file', value: '[redacted]', file: /shown$/ },
  );
});
