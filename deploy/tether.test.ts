/** The launcher, as it is found in a checkout. */
import { execFile } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';

// npx is a process that starts another, which takes a while on a busy machine.
t.setTimeout(180_000);

const run = promisify(execFile);

t.test('before the build: one clear line', async (t) => {
  const checkout = t.testdir({ 'package.json': '{"type":"module"}', deploy: {} });
  cpSync('deploy/tether.js', join(checkout, 'deploy/tether.js'));
  await t.rejects(run(process.execPath, [join(checkout, 'deploy/tether.js'), 'up']), {
    code: 1,
    stdout: '',
    stderr: 'tether: it is not built yet: run npm ci && npm run build\n',
  });
});

t.test('npx tether: results alone on stdout', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
  const home = t.testdir();
  const { stdout } = await run('npx', ['tether', '--version'], {
    env: { PATH: process.env.PATH, HOME: home, npm_config_cache: home, npm_config_offline: 'true' },
  });
  t.equal(stdout, `${version}\n`);
});
