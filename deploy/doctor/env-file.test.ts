/** A real file in a real git repository. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { envFileChecks } from './env-file.js';
import { checkOf, find } from './test/find.js';

async function directory(t: Test): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'tether-doctor-'));
  t.teardown(() => rm(made, { recursive: true, force: true }));
  return made;
}

const check = (id: string, envFile: string) => find(checkOf(envFileChecks, id), {}, { envFile });

t.test('who may read it', async (t) => {
  const envFile = join(await directory(t), '.env');
  t.match(await check('env-file', envFile), { outcome: 'skipped', found: /not there/ });
  await writeFile(envFile, 'TETHER_API_TOKEN=a-token-of-some-length\n', { mode: 0o644 });
  await chmod(envFile, 0o644);
  const open = await check('env-file', envFile);
  t.match(open, {
    outcome: 'failed',
    found: /is 0644: others than its owner may read/,
    advice: /^chmod 600 /,
  });
  await chmod(envFile, 0o620);
  t.match(await check('env-file', envFile), { outcome: 'failed', found: /may change/ });
  await chmod(envFile, 0o600);
  t.match(await check('env-file', envFile), { outcome: 'ok', found: /0600, and yours/ });
  t.notMatch(JSON.stringify(open), /a-token/);
});

t.test('whether it was read', async (t) => {
  const envFile = join(await directory(t), '.env');
  const loaded = (env: Record<string, string>) =>
    find(checkOf(envFileChecks, 'env-loaded'), env, { envFile });
  t.match(await loaded({}), { outcome: 'skipped' });
  await writeFile(
    envFile,
    '# ours\nTETHER_PORT=9000\nTETHER_API_TOKEN="a-token-of-some-length"\nOTHER=x\nTETHER_URL=\n',
  );
  const none = await loaded({});
  t.match(none, {
    outcome: 'warning',
    found: /: TETHER_API_TOKEN, TETHER_PORT$/,
    advice: /--env-file=\.env/,
  });
  t.notMatch(JSON.stringify(none), /a-token/);
  t.match(await loaded({ TETHER_PORT: '9000', TETHER_API_TOKEN: 'other-token-of-length' }), {
    outcome: 'warning',
    found: /: TETHER_API_TOKEN$/,
  });
  t.match(await loaded({ TETHER_PORT: '9000', TETHER_API_TOKEN: 'a-token-of-some-length' }), {
    outcome: 'ok',
    found: /3 keys/,
  });
});

t.test('whether git has it', async (t) => {
  const root = await directory(t);
  const envFile = join(root, '.env');
  await writeFile(envFile, 'A=b\n', { mode: 0o600 });
  t.match(await check('env-git', envFile), { outcome: 'skipped', found: /no git repository/ });

  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], {
      cwd: root,
      stdio: 'pipe',
      env: { PATH: process.env.PATH, HOME: root },
    });
  git('init', '--quiet');
  t.match(await check('env-git', envFile), { outcome: 'failed', found: /not ignored/, advice: /gitignore/ });
  await writeFile(join(root, '.gitignore'), '.env\n');
  t.match(await check('env-git', envFile), { outcome: 'ok' });
  git('add', '--force', '.env');
  t.match(await check('env-git', envFile), {
    outcome: 'failed',
    found: /is tracked/,
    advice: /git rm --cached/,
  });
  git('commit', '--quiet', '--message', 'x');
  git('rm', '--quiet', '--cached', '.env');
  git('commit', '--quiet', '--message', 'y');
  t.match(await check('env-git', envFile), {
    outcome: 'failed',
    found: /was committed once \([0-9a-f]+\)/,
    advice: /change every secret/,
  });
});
