import t from 'tap';
import { serve } from '../test/serve.js';
import { spawnCli } from '../test/spawn-cli.js';
import { commandReplay, listReplays, showReplay, startReplay } from './replay-run.js';

// Each case is a process of its own, which takes a while on a busy machine.
t.setTimeout(120_000);

const PREVIEW = {
  total: 60,
  atLeast: false,
  leftOut: { payment: 10, delayed: 0 },
  endpoints: [{ endpoint: 'shop', events: 60, oldest: 1_700_000_000_000, latest: 1_700_000_001_000 }],
  effect: '50 events are told',
  warnings: [{ code: 'payment', detail: '10 events of EMP are left out\u001b[2J' }],
};
const REPLAY = {
  id: 'r1',
  state: 'running',
  select: { filter: { endpoint: 'shop' } },
  to: null,
  forced: false,
  rate: 500,
  total: 60,
  seen: 30,
  told: 20,
  deliveries: 25,
  leftOut: { payment: 10 },
  perSecond: 12.5,
  secondsLeft: 3,
  createdAt: 1_700_000_000_000,
  createdBy: 'anna',
  startedAt: 1_700_000_000_000,
  endedAt: null,
  reason: null,
};

async function node(t: Parameters<typeof serve>[0]) {
  const requests: { line: string; body: unknown }[] = [];
  const answers = { preview: PREVIEW };
  const { url } = await serve(t, async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const line = `${request.method} ${request.url}`;
    requests.push({ line, body: text === '' ? undefined : JSON.parse(text) });
    const send = (code: number, body: object) => response.writeHead(code).end(JSON.stringify(body));
    if (line.endsWith('/preview')) send(200, answers.preview);
    else if (line === 'POST /api/replays') send(201, REPLAY);
    else if (line.startsWith('GET /api/replays?')) send(200, { replays: [REPLAY], next: null });
    else if (line.includes('/r1'))
      send(200, line.endsWith('pause') ? { ...REPLAY, state: 'paused' } : REPLAY);
    else send(404, { title: 'Not Found', detail: 'there is no replay of this id' });
  });
  return { env: { TETHER_URL: url, TETHER_API_TOKEN: 'a-token-of-some-length' }, requests, answers };
}

t.test('start: a preview, a question, and the replay', async (t) => {
  const { env, requests, answers } = await node(t);
  const said: string[] = [];
  const flags = { all: true, rate: 500 } as const;
  const start = (more: object, answer?: boolean, ids: string[] = []) =>
    startReplay(
      ids,
      { ...flags, ...more },
      env,
      (text) => void said.push(text),
      async () => answer,
    );

  t.strictSame(await start({ endpoint: 'shop', from: '2026-11-25' }, true), {
    text: 'r1\n',
    failure: undefined,
  });
  t.match(
    said.join(''),
    /^50 events are told\n {2}60 of endpoint shop, accepted from 2023.*\n {2}at 500 a second: 1 s or more\n {2}warning: 10 events of EMP are left out\\u001b\[2J\n$/,
  );
  const select = { filter: { endpoint: 'shop', from: '2026-11-25' } };
  t.strictSame(requests, [
    { line: 'POST /api/replays/preview', body: { select, forced: false } },
    { line: 'POST /api/replays', body: { select, forced: false, rate: 500 } },
  ]);

  requests.length = 0;
  t.match(await start({}, false), { text: '', failure: /not confirmed/ });
  await t.rejects(start({ forced: true }), { code: 'TETHER_USAGE' }, 'nobody can be asked');
  t.match(await start({ dryRun: true }), { text: /^50 events/, failure: undefined });
  answers.preview = { ...PREVIEW, total: 0 };
  t.strictSame(await start({}, true), { text: '', failure: undefined });
  t.notOk(
    requests.some(({ line }) => line === 'POST /api/replays'),
    'none of these made one',
  );
  answers.preview = PREVIEW;

  t.match(await start({}), { text: 'r1\n' }, 'a script that says --all means it');
  t.match(await start({ forced: true, yes: true, target: 'ledger', json: true }, undefined, ['a', 'b']), {
    text: /^\{"id":"r1"/,
  });
  t.strictSame(requests.at(-1)?.body, { select: { ids: ['a', 'b'] }, to: 'ledger', forced: true, rate: 500 });
});

t.test('list, show, pause, resume, cancel', async (t) => {
  const { env, requests } = await node(t);
  t.match(
    await listReplays({ limit: 5, state: 'running' }, env),
    /^ID +STATE +PROGRESS.*\nr1 +running +30 of 60 \(50 %\) +20 +routes +no +anna /,
  );
  t.equal(requests.at(-1)?.line, 'GET /api/replays?limit=5&state=running');
  const shown = await showReplay('r1', {}, env);
  t.match(shown, /^left out +10 payment$/m);
  t.match(shown, /^rate +12\.5 a second, at most 500$/m);
  t.match(shown, /^time left +3 s$/m);
  t.equal(await commandReplay('r1', 'pause', {}, env), 'r1 is paused\n');
  await t.rejects(showReplay('no/ne', {}, env), { code: 'TETHER_NODE_REQUEST', message: /404 Not Found/ });
});

t.test('as a process: what is too much or missing', async (t) => {
  const { env } = await node(t);
  t.match(await spawnCli(['replay', 'start', '--endpoint', 'shop'], env), {
    code: 64,
    stderr: /go with --all/,
  });
  t.match(await spawnCli(['replay', 'start', '--all', '--endpoint', 'shop'], env), {
    code: 0,
    stdout: 'r1\n',
    stderr: /^50 events/,
  });
});
