import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { spawnCli } from './test/spawn-cli.js';

async function serve(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test('help and version', async (t) => {
  const help = await spawnCli(['--help']);
  t.match(help, { code: 0, stderr: '', stdout: /Usage: tether/ });
  for (const command of ['up', 'start', 'migrate', 'send', 'dead'])
    t.match(help.stdout, new RegExp(`^  ${command}\\b`, 'm'));
  t.match(help.stdout, /Examples:[\s\S]*Exit codes: 0 done, 1 failed, 64 wrong usage, 78 refused/);
  const commands = ['up', 'start', 'migrate', 'send emp', 'dead list', 'dead show', 'dead replay'];
  await Promise.all(
    commands.map(async (command) => {
      const result = await spawnCli([...command.split(' '), '--help']);
      t.match(result, { code: 0, stderr: '', stdout: /Usage: tether/ }, command);
    }),
  );
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  t.strictSame(await spawnCli(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
});

t.test('wrong usage: one clear line, exit code 64', async (t) => {
  const cases: [string[], RegExp][] = [
    [['upp'], /^tether: unknown command 'upp' \(Did you mean up\?\)\n/],
    [['up', '--prot', '1'], /^tether: unknown option '--prot' \(Did you mean --port\?\)\n/],
    [['up', 'now'], /^tether: too many arguments/],
    [['up', '--port'], /^tether: option '--port <port>' argument missing\n/],
    [['send', 'emp', '--count', '1e3'], /whole number from 1/],
    [['send', 'emp', '--count', '0'], /whole number from 1/],
    [['send', 'emp', '--duplicates', '100%'], /0% to 99%/],
    [['send', 'emp', '--rate', '0'], /above 0 per second, or max/],
    [['send', 'emp', '--kinds', 'wpf,card'], /processing, wpf, kyc, apm/],
    [['send', 'stripe'], /unknown command 'stripe'/],
    [['dead', 'list', '--state', 'gone'], /allowed is waiting, replayed or all/],
    [['dead', 'list', '--limit', '1001'], /from 1 to 1000/],
    [['dead', 'show'], /missing required argument 'id'/],
    [['dead', 'replay'], /ids, or --all/],
    [['dead', 'replay', 'x', '--all'], /ids, or --all/],
    [['dead', 'replay', 'x', '--actor', 'payment'], /go with --all/],
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

t.test('a refused configuration: exit code 78, a line for each problem', async (t) => {
  const dir = t.testdir();
  const result = await spawnCli(['up'], { TETHER_PROT: '1', TETHER_THREADS: '0', TETHER_DATA_DIR: dir });
  t.equal(result.code, 78);
  t.equal(result.stderr.trimEnd().split('\n').length, 2);
  t.match(result.stderr, /^tether: TETHER_PROT is not a key: did you mean TETHER_PORT\?$/m);
  t.match(result.stderr, /^tether: TETHER_THREADS is "0": allowed is a whole number from 1 to 64$/m);
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
  t.match(await spawnCli(['dead', 'list', '--data-dir', dir]), {
    code: 78,
    stderr: /no API token: give --token/,
  });
});

t.test('send: a summary, JSON for machines, and 1 when something was not acknowledged', async (t) => {
  let status = 200;
  const paths = new Set<string | undefined>();
  const url = await serve(t, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const id = new URLSearchParams(Buffer.concat(chunks).toString()).get('unique_id');
    paths.add(request.url);
    response.writeHead(status).end(`<notification_echo><unique_id>${id}</unique_id></notification_echo>`);
  });
  const args = [
    'send',
    'emp',
    '--count',
    '20',
    '--duplicates',
    '10%',
    '--rate',
    'max',
    '--kinds',
    'processing',
    '--seed',
    '7',
  ];
  const good = await spawnCli([...args, '--endpoint', 'shop', '--token', 'env:T', '--json'], {
    TETHER_URL: url,
    T: 'path',
  });
  t.match(good, { code: 0, stderr: '' });
  t.match(JSON.parse(good.stdout), {
    sent: 20,
    distinct: 18,
    duplicates: 2,
    acknowledged: 20,
    rejected: {},
    seed: 7,
  });
  t.strictSame([...paths], ['/webhooks/shop/path']);

  status = 401;
  const bad = await spawnCli([...args, '--url', url], { TETHER_URL: 'http://127.0.0.1:1' });
  t.match(bad, { code: 1, stdout: /not acknowledged {2}20 x 401\n[\s\S]*seed +7\n/ });
});

const letter = (id: string, text = 'unique_id=1') => ({
  envelope: {
    id,
    actor: 'payment',
    key: 'emp:1',
    dedupe: 'd',
    receivedAt: 1_700_000_000_000,
    traceparent: '',
    payload: Buffer.from(text).toString('base64'),
    payloadText: text,
  },
  cause: { code: 'TETHER_X', message: 'no\u001b[31mgood', stack: 'Error: no\n    at x' },
  attempts: 5,
  deadAt: 1_700_000_001_000,
  state: 'waiting',
});

t.test('dead: list, show, replay', async (t) => {
  const waiting = new Map(
    [letter('a'), letter('b', 'evil\u001b[2J\n'), letter('c')].map((it) => [it.envelope.id, it]),
  );
  const requests: string[] = [];
  const url = await serve(t, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const send = (code: number, body: object) => response.writeHead(code).end(JSON.stringify(body));
    const [, id = '', replay] = /^\/api\/dead-letters\/([^/?]+)(\/replay)?/.exec(request.url ?? '') ?? [];
    const found = waiting.get(id);
    if (request.headers.authorization !== 'Bearer a-token-of-some-length')
      send(401, { title: 'Unauthorized', detail: 'send the API token' });
    else if (id === '') send(200, { deadLetters: [...waiting.values()], waiting: waiting.size });
    else if (found === undefined)
      send(404, { title: 'Not Found', detail: 'there is no dead letter of this id' });
    else if (replay === undefined) send(200, found);
    else {
      // One dies again at once: `--all` must end all the same.
      if (id !== 'b') waiting.delete(id);
      send(200, { id, state: 'replayed' });
    }
  });
  const env = { TETHER_URL: url, TETHER_API_TOKEN: 'a-token-of-some-length' };

  const list = await spawnCli(['dead', 'list', '--actor', 'payment', '--key', 'emp:1', '--limit', '7'], env);
  t.match(list, {
    code: 0,
    stderr: '',
    stdout: /^ID +ACTOR +KEY +STATE +TRIES +SINCE +CAUSE\na +payment +emp:1 +waiting +5 /,
  });
  t.notOk(list.stdout.includes('\u001b'), 'no control characters');
  t.equal(requests.at(-1), 'GET /api/dead-letters?limit=7&actor=payment&key=emp%3A1&state=waiting');
  await spawnCli(['dead', 'list', '--state', 'all'], env);
  t.equal(requests.at(-1), 'GET /api/dead-letters?limit=100');
  t.equal(JSON.parse((await spawnCli(['dead', 'list', '--json'], env)).stdout).length, 3);

  const show = await spawnCli(['dead', 'show', 'b'], env);
  t.match(show, { code: 0, stdout: /^payload +evil\\u001b\[2J\\u000a$/m });
  t.match(await spawnCli(['dead', 'show', 'no/ne'], env), {
    code: 1,
    stderr: 'tether: GET /api/dead-letters/no%2Fne: 404 Not Found: there is no dead letter of this id\n',
  });

  t.match(await spawnCli(['dead', 'replay', 'a', 'zz'], env), {
    code: 1,
    stdout: '1 replayed, 1 failed\n',
    stderr: /^tether: zz: .*404/,
  });
  t.match(await spawnCli(['dead', 'replay', '--all'], env), {
    code: 0,
    stdout: '2 replayed, 0 failed\n',
    stderr: '',
  });

  const kept = t.testdir({ 'api-token': 'a-token-of-some-length\n' });
  t.match(await spawnCli(['dead', 'list', '--url', url, '--data-dir', kept]), { code: 0 });
  const refused = await spawnCli(['dead', 'list', '--token', 'hunter2'], env);
  t.match(refused, { code: 1, stderr: /401 Unauthorized: send the API token/ });
  t.notMatch(refused.stderr, /hunter2/);
});

t.test('dead: a node that is away, or something else that answers', async (t) => {
  const other = await serve(t, (_, response) => response.end('<html>'));
  const args = ['dead', 'list', '--token', 'a-token-of-some-length', '--url'];
  t.match(await spawnCli([...args, other]), { code: 1, stderr: /not as a Tether node would/ });
  const away = await spawnCli([...args, 'http://127.0.0.1:1']);
  t.match(away, { code: 1, stderr: /^tether: http:\/\/127.0.0.1:1 does not answer: .*ECONNREFUSED/ });
  t.equal(away.stderr.trimEnd().split('\n').length, 1);
  const debug = await spawnCli([...args, 'http://127.0.0.1:1'], { TETHER_LOG_LEVEL: 'debug' });
  t.match(debug.stderr, /\n {4}at /, 'a stack at debug');
});
