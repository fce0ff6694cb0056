import { readFileSync } from 'node:fs';
import t from 'tap';
import { spawnCli } from './test/spawn-cli.js';

// Each case is a process of its own, which takes a while on a busy machine.
t.setTimeout(180_000);

t.test('help and version', async (t) => {
  const help = await spawnCli(['--help']);
  t.match(help, { code: 0, stderr: '', stdout: /Usage: tether/ });
  for (const command of ['up', 'start', 'migrate', 'send', 'dead', 'tokens'])
    t.match(help.stdout, new RegExp(`^  ${command}\\b`, 'm'));
  t.match(
    help.stdout,
    /Examples:[\s\S]*Exit codes: 0 done, 1 failed, 64 wrong usage, 65 damaged or foreign data, 78 refused/,
  );
  const commands = [
    ...['up', 'start', 'migrate', 'send emp', 'dead list', 'dead show', 'dead replay'],
    ...['tokens create', 'tokens generate', 'tokens list', 'tokens revoke'],
  ];
  await Promise.all(
    commands.map(async (command) => {
      const result = await spawnCli([...command.split(' '), '--help']);
      t.match(result, { code: 0, stderr: '', stdout: /Usage: tether/ }, command);
      t.match(result.stdout, /--help +print this help$/m);
    }),
  );
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  t.strictSame(await spawnCli(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
});

t.test('wrong usage: one clear line, exit code 64', async (t) => {
  const cases: [string[], RegExp][] = [
    [['upp'], /^tether: unknown command 'upp' \(Did you mean up\?\)\ntether: see tether --help\n$/],
    [['up', '--prot', '1'], /^tether: unknown option '--prot' \(Did you mean --port\?\)\n/],
    [['up', 'now'], /^tether: too many arguments/],
    [['up', '--port'], /^tether: option '--port <port>' argument missing\n/],
    [['send', 'emp', '--count', '1e3'], /whole number from 1/],
    [['send', 'emp', '--count', '0'], /whole number from 1.*\ntether: see tether send emp --help\n$/],
    [['send', 'emp', '--duplicates', '100%'], /0% to 99%/],
    [['send', 'emp', '--rate', '0'], /above 0 per second, or max/],
    [['send', 'emp', '--kinds', 'wpf,card'], /processing, wpf, kyc, apm/],
    [['send', 'stripe'], /unknown command 'stripe'\ntether: see tether send --help\n$/],
    [['dead', 'list', '--state', 'gone'], /allowed is waiting, replayed, dropped or all/],
    [['dead', 'list', '--limit', '1001'], /from 1 to 1000/],
    [['dead', 'show'], /missing required argument 'id'/],
    [['dead', 'replay'], /nothing to replay: give the ids of dead letters, or --all/],
    [['dead', 'replay', '--actor', 'payment'], /--all, which is missing/],
    [['dead', 'replay', 'x', '--all'], /not both/],
    [['dead', 'replay', 'x', '--actor', 'payment'], /go with --all/],
    [['tokens', 'create', '--scopes', 'operations'], /'--client <name>' not specified/],
    [['tokens', 'create', '--client', 'a', '--scopes', 'reads'], /Allowed are uploads:read, uploads:write/],
    [['tokens', 'create', '--client', 'a', '--scopes', ''], /Allowed are uploads:read/],
    [['pools', 'set', 'payment'], /nothing to set: give --min/],
    [['pools', 'set', 'payment', '--min', 'x'], /Allowed is a whole number/],
    [['drain'], /missing required argument/],
    [['tokens', 'create', '--client', 'a', '--expires-in-days', '0'], /from 1 to 3650/],
    [['tokens', 'revoke'], /missing required argument 'id'/],
  ];
  await Promise.all(
    cases.map(async ([args, message]) => {
      const result = await spawnCli(args);
      t.match(result, { code: 64, stdout: '', stderr: message }, args.join(' '));
      t.notMatch(result.stderr, /\n\s+at /, 'no stack');
    }),
  );
  t.match(await spawnCli([]), { code: 64, stdout: '', stderr: /Usage: tether/ });
});

t.test('what a restart cannot mend has an exit code of its own, and says its code', async (t) => {
  const dir = t.testdir({ journal: 'a file' });
  t.match(await spawnCli(['up'], { TETHER_DATA_DIR: dir }), {
    code: 78,
    stderr: /^tether: the journal cannot use .* \(TETHER_JOURNAL_DIRECTORY\)$/m,
  });
  const damaged = t.testdir({ journal: { 'journal-0000000000000001.seg': 'x' } });
  t.match(await spawnCli(['up'], { TETHER_DATA_DIR: damaged }), {
    code: 65,
    stderr: /^tether: journal damaged: .* \(TETHER_JOURNAL_DAMAGED\)$/m,
  });
  t.match(await spawnCli(['up'], { TETHER_DATA_DIR: '   ' }), {
    code: 78,
    stderr: /TETHER_DATA_DIR is " {3}"/,
  });
  const database = await spawnCli(['migrate'], { TETHER_DATABASE_URL: 'mysql://u:hunter2@h/d' });
  t.match(database, { code: 78, stderr: /postgres:\/\/user:password@host:port\/database/ });
  t.notMatch(database.stderr, /hunter2/);
});

t.test('a refused configuration: exit code 78, a line for each problem', async (t) => {
  const dir = t.testdir();
  const result = await spawnCli(['up'], { TETHER_PROT: '1', TETHER_THREADS: '0', TETHER_DATA_DIR: dir });
  t.equal(result.code, 78);
  t.equal(result.stderr.trimEnd().split('\n').length, 2);
  t.match(result.stderr, /^tether: TETHER_PROT is not a key: did you mean TETHER_PORT\?$/m);
  t.match(
    result.stderr,
    /^tether: TETHER_THREADS is "0": allowed is a whole number from 1 to 64, .*such as 1-4$/m,
  );
  t.match(await spawnCli(['up', '--port', 'x'], { TETHER_PORT: '1' }), {
    code: 78,
    stderr: /^tether: --port \(TETHER_PORT\) is "x"/,
  });
  t.match(await spawnCli(['start'], { TETHER_DATA_DIR: dir }), {
    code: 78,
    stderr: /TETHER_ENDPOINTS is not set/,
  });
  t.match(await spawnCli(['send', 'emp', '--password', 'env:NOPE']), {
    code: 78,
    stderr: /--password: .*NOPE is not set/,
  });
  for (const command of [
    ['send', 'emp'],
    ['dead', 'list'],
  ]) {
    t.match(await spawnCli([...command, '--url', 'http://127.0.0.1:1/foo']), {
      code: 78,
      stderr: /^tether: --url \(TETHER_URL\) is "http:\/\/127.0.0.1:1\/foo": allowed is a URL of the form/,
    });
  }
  t.match(await spawnCli(['dead', 'list', '--data-dir', dir]), {
    code: 78,
    stderr: /no API token: give --token/,
  });
});
