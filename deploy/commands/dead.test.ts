import t from 'tap';
import { serve } from '../test/serve.js';
import { spawnCli } from '../test/spawn-cli.js';
import { dropDead, replayAll } from './dead-bulk.js';
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
    payloadMasked: {
      bytes: text.length,
      sha256: 'f00',
      fields: [
        { name: 'unique_id', value: text, masked: false },
        { name: 'iban', value: '', masked: true },
      ],
    },
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
    const [, id = '', replay] =
      /^\/api\/dead-letters\/([^/?]+)(\/replay|\/reveal)?/.exec(request.url ?? '') ?? [];
    const found = waiting.get(id);
    if (request.headers.authorization !== 'Bearer a-token-of-some-length')
      send(401, { title: 'Unauthorized', detail: 'send the API token' });
    else if (id === '') send(200, { deadLetters: [...waiting.values()], waiting: waiting.size });
    else if (found === undefined)
      send(404, { title: 'Not Found', detail: 'there is no dead letter of this id' });
    else if (replay === undefined) send(200, found);
    else if (replay === '/reveal') send(200, { id, payload: 'aQ==', payloadText: 'iban=1\u001b' });
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

  t.match(await showDead('b', {}, env), /^payload +unique_id=evil\\u001b\[2J\\u000a&iban=\*\*\*$/m);
  t.match(await showDead('b', { reveal: true }, env), /^payload +iban=1\\u001b$/m);
  t.equal(requests.at(-1), 'POST /api/dead-letters/b/reveal');
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
  t.match(await spawnCli(['dead', 'list', '--json'], env), {
    code: 0,
    stdout: /^\[\{.*"id":"b"/,
    stderr: '',
  });
});

const NOTHING = {
  at: 5,
  total: 0,
  keys: 0,
  oldest: null,
  latest: null,
  actors: [],
  codes: [],
  effect: { replay: 'they go back', drop: 'they are given up' },
  warnings: [],
};

t.test('replay of all, and drop: preview, question, and call after call', async (t) => {
  const bodies: [string, unknown][] = [];
  const answers: object[] = [];
  const { url } = await serve(t, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.push([request.url?.split('/').at(-1) ?? '', JSON.parse(Buffer.concat(chunks).toString())]);
    const preview = {
      ...NOTHING,
      total: 9,
      keys: 3,
      codes: [{ code: 'X\u001b', count: 9, atOnce: 0 }],
      warnings: [{ code: 'pool-not-running', detail: 'it is paused' }],
    };
    response.end(JSON.stringify(request.url?.endsWith('preview') ? preview : answers.shift()));
  });
  const env = { TETHER_URL: url, TETHER_API_TOKEN: 'a-token-of-some-length' };
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const no = async () => false;
  const nobody = async () => undefined;
  const part = { replayed: 5, failed: 0, failures: [], left: 4, stopped: 'deadline' };

  t.match(await replayAll({ all: true }, env, say, no), {
    text: '0 replayed, 0 failed, 9 left\n',
    failures: [/not confirmed/],
  });
  t.match(said.join(''), /they go back\n {2}9 with X.*\n {2}warning: it is paused\n$/);
  t.notOk(said.join('').includes('\u001b'), 'no control characters');

  answers.push(part, { ...part, replayed: 4, left: 0, stopped: null });
  t.match(await replayAll({ all: true, code: 'X' }, env, say, nobody), {
    text: '9 replayed, 0 failed\n',
    failures: [],
  });
  t.strictSame(bodies.slice(-3), [
    ['preview', { filter: { code: 'X' } }],
    ['replay', { filter: { code: 'X', to: 5 } }],
    ['replay', { filter: { code: 'X', to: 5 } }],
  ]);
  answers.push({ ...part, stopped: 'TETHER_LOG_FULL' });
  t.match(await replayAll({ all: true, yes: true, to: '7' }, env, say, no), {
    text: '5 replayed, 0 failed, 4 left\n',
    failures: [/TETHER_LOG_FULL/],
  });
  t.strictSame(bodies.at(-1), ['replay', { filter: { to: '7' } }]);

  await t.rejects(dropDead([], { all: true }, env, say, nobody), { code: 'TETHER_USAGE' });
  t.match(await dropDead([], { all: true }, env, say, no), { text: '0 dropped\n' });
  answers.push({ dropped: 9, left: 0 });
  t.match(await dropDead([], { all: true, yes: true, json: true }, env, say, nobody), {
    text: '{"dropped":9,"left":0}\n',
    failures: [],
  });
  answers.push({ dropped: 1, left: 0 });
  t.match(await dropDead(['a', 'b'], { yes: true }, env, say, nobody), {
    text: '1 dropped\n',
    failures: [/1 of the ids/],
  });
  t.strictSame(bodies.at(-1), ['drop', { ids: ['a', 'b'] }]);
  t.match(await spawnCli(['dead', 'drop', '--code', 'X'], env), { code: 64, stderr: /go with --all/ });
  t.match(await spawnCli(['dead', 'drop'], env), { code: 64, stderr: /nothing to drop/ });
});

t.test('a key that is a payment id alone finds nothing, and the form is told', async (t) => {
  const none = { deadLetters: [], waiting: 0, next: null, ...NOTHING };
  const { url } = await serve(t, (_, response) => response.end(JSON.stringify(none)));
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
