/** `tether pools`, `drain` and `audit` against what answers like a node; with a real one: `deploy/test/pools.test.ts`. */
import t from 'tap';
import { serve } from '../test/serve.js';
import { spawnCli } from '../test/spawn-cli.js';
import { listAudit } from './audit-run.js';
import { changeOf, drainPool, listPools, setPool, tellPool } from './pools-run.js';

t.setTimeout(60_000);

const FILE = { min: 1, max: 2, batchMax: 500, lingerMs: 20, inFlightMax: 2_048 };
const pool = (more: object = {}) => ({
  actor: 'a/b',
  mode: 'running',
  threads: 2,
  inFlight: 3,
  settings: { current: FILE, file: FILE, differs: false },
  saved: null,
  ...more,
});

t.test('each command asks what it should', async (t) => {
  const requests: string[] = [];
  const { url } = await serve(t, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push(`${request.method} ${request.url} ${body}`.trim());
    const settings = { current: { ...FILE, max: 4 }, file: FILE, differs: true };
    const saved = { changedAt: '2026-11-26T06:00:00.000Z', changedBy: 'an\u001bn' };
    const answer = pool({ settings, saved });
    response.end(JSON.stringify(request.url === '/api/pools' ? { pools: [answer, pool()] } : answer));
  });
  const env = { TETHER_URL: url, TETHER_API_TOKEN: 'a-token-of-some-length' };
  t.equal(
    await listPools({}, env),
    [
      'ACTOR  MODE     THREADS  MIN  MAX    BATCH  LINGER MS  IN FLIGHT  CHANGED',
      'a/b    running  2        1    4 (2)  500    20         2048       2026-11-26T06:00:00.000Z an\\u001bn',
      'a/b    running  2        1    2      500    20         2048       -',
      'in brackets: what the file says; `tether pools reset ACTOR` goes back to it',
      '',
    ].join('\n'),
  );
  t.equal(JSON.parse(await listPools({ json: true }, env)).length, 2);
  t.match(await setPool('a/b', { max: 4, inFlight: 9, linger: 0 }, env), /^ACTOR/);
  for (const verb of ['reset', 'pause', 'resume'] as const) await tellPool(verb, 'a/b', {}, env);
  t.strictSame(requests.slice(2), [
    'PUT /api/pools/a%2Fb {"max":4,"lingerMs":0,"inFlightMax":9}',
    'DELETE /api/pools/a%2Fb/settings',
    'POST /api/pools/a%2Fb/pause',
    'POST /api/pools/a%2Fb/resume',
  ]);
  t.strictSame(changeOf({}), {});
  const wrong = await spawnCli(['pools', 'set', 'payment', '--min', 'x'], env);
  t.match(wrong, { code: 64, stderr: /Allowed is a whole number/ });
});

t.test('a drain is waited for; one that fails is an error', async (t) => {
  let looks = 0;
  let end = 'drained';
  const { url } = await serve(t, (request, response) => {
    const mode = request.method === 'GET' && ++looks % 2 === 0 ? end : 'draining';
    response.end(JSON.stringify(pool({ mode })));
  });
  const env = { TETHER_URL: url, TETHER_API_TOKEN: 'a-token-of-some-length' };
  t.strictSame(await drainPool('payment', { deadline: 5 }, env), {
    text: 'payment is drained: nothing is in flight\n',
    failure: undefined,
  });
  t.equal(looks, 2);
  end = 'paused';
  t.match(await spawnCli(['drain', 'payment', '--deadline', '5'], env), {
    code: 1,
    stdout: '',
    stderr: 'tether: payment did not drain within 5 s: 3 messages in flight; the pool is paused\n',
  });
});

t.test('the audit log, and what changed', async (t) => {
  const asked: (string | undefined)[] = [];
  const entry = { id: 1, at: 1_795_000_000_000, client: 'ann', action: 'pool.change', target: 'payment' };
  const { url } = await serve(t, (request, response) => {
    asked.push(request.url);
    const entries = [
      { ...entry, before: { max: 2, min: 1 }, after: { max: 4, min: 1, more: 'x' } },
      { ...entry, before: null, after: 'text' },
      { ...entry, before: { max: 2 }, after: { max: 2 } },
    ];
    response.end(JSON.stringify({ entries: asked.length > 1 ? [] : entries, cursor: null }));
  });
  const env = { TETHER_URL: url, TETHER_API_TOKEN: 'a-token-of-some-length' };
  const text = await listAudit({ limit: 7, client: 'ann', from: '2026-11-26T00:00:00Z' }, env);
  t.match(text, /^AT +CLIENT +ACTION +TARGET +CHANGE\n/);
  t.match(text, /payment +max 2 -> 4, more - -> "x"\n.*- -> "text"\n.*as it was\n$/);
  t.equal(asked[0], '/api/audit?limit=7&client=ann&from=2026-11-26T00%3A00%3A00Z');
  t.equal(await listAudit({ limit: 7 }, env), 'no changes\n');
});
