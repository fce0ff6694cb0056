import t from 'tap';
import { serve } from '../test/serve.js';
import { spawnCli } from '../test/spawn-cli.js';
import { listDead, replayDead, showDead } from './dead-run.js';

// Each case is a process of its own, which takes a while on a busy machine.
t.setTimeout(180_000);

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

t.test('list, show, replay', async (t) => {
  const waiting = new Map(
    [letter('a'), letter('b', 'evil\u001b[2J\n'), letter('c')].map((it) => [it.envelope.id, it]),
  );
  const requests: string[] = [];
  const { url } = await serve(t, (request, response) => {
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
  const flags = { state: 'waiting', limit: 100 };

  const { text: list } = await listDead({ state: 'waiting', limit: 7, actor: 'payment', key: 'emp:1' }, env);
  t.match(list, /^ID +ACTOR +KEY +STATE +TRIES +SINCE +CAUSE\na +payment +emp:1 +waiting +5 /);
  t.notOk(list.includes('\u001b'), 'no control characters');
  t.equal(requests.at(-1), 'GET /api/dead-letters?limit=7&actor=payment&key=emp%3A1&state=waiting');
  await listDead({ state: 'all', limit: 100 }, env);
  t.equal(requests.at(-1), 'GET /api/dead-letters?limit=100');
  t.equal(JSON.parse((await listDead({ ...flags, json: true }, env)).text).length, 3);
  const narrow = await listDead({ ...flags, state: 'all' }, env, 86);
  t.ok(
    narrow.text.split('\n').every((line) => line.length <= 86),
    'cut to the width of a terminal',
  );
  t.match(narrow.text, /\.\.\.\n/);

  t.match(await showDead('b', {}, env), /^payload +evil\\u001b\[2J\\u000a$/m);
  t.equal(JSON.parse(await showDead('b', { json: true }, env)).envelope.id, 'b');
  await t.rejects(showDead('no/ne', {}, env), {
    code: 'TETHER_NODE_REQUEST',
    message: 'GET /api/dead-letters/no%2Fne: 404 Not Found: there is no dead letter of this id',
  });

  const kept = t.testdir({ 'api-token': 'a-token-of-some-length\n' });
  t.match(
    (await listDead({ ...flags, url, dataDir: kept }, {})).text,
    /^ID /,
    'the token of the data directory',
  );
  await t.rejects(listDead({ ...flags, url, dataDir: t.testdirName, token: 'hunter2' }, env), {
    message: /401 Unauthorized: send the API token$/,
  });

  // The whole way, as a process of its own.
  t.match(await spawnCli(['dead', 'replay', 'a', 'zz'], env), {
    code: 1,
    stdout: '1 replayed, 1 failed\n',
    stderr: /^tether: zz: .*404/,
  });
  t.match(await replayDead([], { all: true }, env), { text: '2 replayed, 0 failed\n', failures: [] });
  t.match(await spawnCli(['dead', 'list', '--json'], env), {
    code: 0,
    stdout: /^\[\{.*"id":"b"/,
    stderr: '',
  });
});

t.test('a key that is a payment id alone finds nothing, and the form is told', async (t) => {
  const { url } = await serve(t, (_, response) => response.end('{"deadLetters":[],"waiting":0}'));
  const env = { TETHER_URL: url, TETHER_API_TOKEN: 'a-token-of-some-length' };
  t.match(await spawnCli(['dead', 'list', '--key', '44177'], env), {
    code: 0,
    stdout: 'no dead letters\n',
    stderr: 'tether: the key of a payment has the form <endpoint>:<id>: try --key "emp:44177"\n',
  });
  const flags = { state: 'waiting', limit: 1 };
  t.equal((await listDead({ ...flags, key: 'emp:44177' }, env)).hint, undefined);
  t.equal((await listDead(flags, env)).hint, undefined);
  t.match(await replayDead([], { all: true, key: '44177' }, env), {
    text: '0 replayed, 0 failed\n',
    hint: /<endpoint>:<id>/,
  });
});

t.test('a node that is away, or something else that answers', async (t) => {
  const { url: other } = await serve(t, (_, response) => response.end('<html>'));
  const flags = { state: 'waiting', limit: 1, token: 'a-token-of-some-length' };
  await t.rejects(listDead({ ...flags, url: other }, {}), { message: /not as a Tether node would/ });
  const args = ['dead', 'list', '--token', 'a-token-of-some-length', '--url', 'http://127.0.0.1:1'];
  const away = await spawnCli(args, { TETHER_LOG_LEVEL: 'debug' });
  t.match(away, { code: 1, stderr: /^tether: http:\/\/127.0.0.1:1 does not answer: .*ECONNREFUSED/ });
  t.match(away.stderr, /\n {4}at /, 'a stack at debug');
});
