/** The smoke test against what answers like a node that does the wrong thing; against real ones: `deploy/test/smoke.test.ts`. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { runSteps } from './run-steps.js';
import { NODE_STEPS, WEBHOOK_STEPS } from './steps.js';
import { UPLOAD_STEPS } from './upload-steps.js';

interface Wrong {
  /** Acknowledged without the echo. */
  readonly silent?: true;
  /** A wrong signature is as good as a right one. */
  readonly trusting?: true;
  readonly effects?: number;
  /** How often whoever asks for events or an upload is told first to come again later. */
  readonly away?: number;
  /** What comes back of the file. */
  readonly file?: string;
  readonly state?: string;
}

/** Resolves with what the smoke test found, by the id of each step, and which uploads were removed. */
async function smoked(
  t: Test,
  { silent, trusting, effects = 1, away = 0, file, state = 'completed' }: Wrong,
) {
  let first: string | undefined;
  let sent = '';
  const asked = new Map<string, number>();
  const isAway = (path = '') => {
    const times = (asked.get(path) ?? 0) + 1;
    asked.set(path, times);
    return times <= away;
  };
  const removed: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const say = (status: number, text: unknown) =>
      response.writeHead(status).end(typeof text === 'string' ? text : JSON.stringify(text));
    const { method, url = '' } = request;
    const id = new URLSearchParams(body).get('reference_id') ?? '';
    const isUpload = { id: 'u1', state, counts: { total: 2, invalid: 2 }, failure: null };
    if (url === '/health') say(200, '');
    else if (url === '/api/status') say(200, { node: { version: '1.2.3' }, findings: [] });
    else if (method === 'GET' && /events|u1$/.test(url) && isAway(url.split('?')[0]))
      say(503, { status: 503, title: 'Service Unavailable', detail: 'try again later' });
    else if (url.startsWith('/api/events')) {
      const isForged = !url.includes(encodeURIComponent(first ?? '?'));
      say(200, { events: Array.from({ length: isForged ? 0 : effects }, (_, n) => ({ id: `${n}` })) });
    } else if (url.startsWith('/webhooks/')) {
      first ??= id;
      if (id !== first && !trusting) say(401, '');
      else
        say(200, silent ? 'ok' : `<notification_echo><reference_id>${id}</reference_id></notification_echo>`);
    } else if (method === 'DELETE') {
      removed.push(url);
      say(204, '');
    } else if (method === 'POST') {
      sent = body;
      say(201, isUpload);
    } else if (url.endsWith('/file')) say(200, file ?? sent);
    else if (url.endsWith('/errors.csv')) say(200, 'line\n2\n3\n');
    else say(200, isUpload);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const results = await runSteps({
    target: { url, apiUrl: url, apiToken: 'token', endpoint: 'emp', endpointToken: 'x', password: 'p' },
    steps: [...NODE_STEPS, ...WEBHOOK_STEPS, ...UPLOAD_STEPS],
    signal: new AbortController().signal,
    effectMsMax: 300,
  });
  const found = new Map(results.map(({ id, outcome, found }) => [id, `${outcome}: ${found}`]));
  return { found, removed };
}

t.test('one that does right', async (t) => {
  const { found, removed } = await smoked(t, {});
  t.strictSame(
    [...found.values()].filter((line) => !line.startsWith('ok: ')),
    [],
  );
  t.strictSame(removed, ['/uploads/u1']);
});

t.test('of a node that has just started a part may be away: it is asked again', async (t) => {
  const { found, removed } = await smoked(t, { away: 1 });
  t.match(found.get('effect'), /^ok: one event/);
  t.match(found.get('processing'), /^ok: 2 rows/);
  t.strictSame(removed, ['/uploads/u1']);
  const never = await smoked(t, { away: 1_000 });
  t.match(never.found.get('effect'), /^failed: after 0.3 s GET \/api\/events: 503 .*try again later$/);
  t.match(never.found.get('processing'), /^failed: after 0.3 s GET \/uploads\/u1: 503 /);
});

t.test('what must never be is a failure, and says what it is', async (t) => {
  t.match((await smoked(t, { trusting: true })).found.get('forged'), /^failed: it was acknowledged/);
  t.match((await smoked(t, { silent: true })).found.get('webhook'), /^failed: answered 200 without the echo/);
  t.match((await smoked(t, { effects: 2 })).found.get('effect'), /^failed: it took effect 2 times/);
  t.match(
    (await smoked(t, { effects: 0 })).found.get('effect'),
    /^failed: after 0.3 s .*has not taken effect/,
  );
  t.match((await smoked(t, { file: 'another' })).found.get('download'), /^failed: the file: 200, and not as/);
  const late = await smoked(t, { state: 'stored' });
  t.match(late.found.get('processing'), /^failed: after 0.3 s it is stored/);
  t.match(late.found.get('download'), /^skipped: it needs processing/);
  t.strictSame(late.removed, ['/uploads/u1'], 'in any case');
  t.match((await smoked(t, { state: 'failed' })).found.get('processing'), /^failed: it is failed/);
});
