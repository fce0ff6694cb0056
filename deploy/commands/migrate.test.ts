import { existsSync } from 'node:fs';
import t from 'tap';
import { spawnCli } from '../test/spawn-cli.js';

// Each case is a process of its own, which takes a while on a busy machine.
t.setTimeout(180_000);

t.test('embedded: starts the server, migrates, stops it; a second time there is nothing to do', async (t) => {
  const dir = t.testdir();
  const first = await spawnCli(['migrate', '--data-dir', dir, '--log-level', 'warn']);
  t.match(first, { code: 0, stdout: /^applied 0001-/ }, first.stderr);
  t.notOk(existsSync(`${dir}/postgres/postmaster.pid`), 'the server has ended');
  const second = await spawnCli(['migrate'], { TETHER_DATA_DIR: dir, TETHER_LOG_LEVEL: 'warn' });
  t.match(second, { code: 0, stdout: 'nothing to apply\n' }, second.stderr);
});

t.test('a database that is away: exit code 1, and no password in the message', async (t) => {
  const result = await spawnCli(['migrate'], {
    TETHER_DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/tether',
  });
  t.match(result, {
    code: 1,
    stdout: '',
    stderr: /^tether: .*ECONNREFUSED \(TETHER_POSTGRES_UNAVAILABLE\)\n$/,
  });
  t.notMatch(result.stderr, /hunter2/);
  t.notMatch(result.stderr, /^\s+at /m, 'no stack');
});
