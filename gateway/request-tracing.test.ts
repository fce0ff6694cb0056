import { SpanKind } from '@opentelemetry/api';
import t from 'tap';
import { LogFullError } from '../runtime/errors.js';
import { collectSpans } from '../runtime/testing/spans.js';
import { until } from '../runtime/testing/until.js';
import { request } from './test/raw-client.js';
import { FORM, notification, startTestGateway, WEBHOOK_PATH } from './test/start.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const header = (text: string) => [FORM, `traceparent: ${text}`];

t.test(
  'without a provider the traceparent of the request goes into the envelope, if it is one',
  async (t) => {
    const { post, partition } = await startTestGateway(t);
    const given = [
      `00-${TRACE}-${PARENT}-01`,
      `00-${TRACE}-${PARENT}-00`,
      'nonsense',
      `ff-${TRACE}-${PARENT}-01`,
    ];
    for (const text of given) t.equal((await post(notification('aa01'), header(text))).status, 200);
    t.equal((await post(notification('aa01'))).status, 200);
    t.strictSame(
      partition.envelopes.map(({ traceparent }) => traceparent),
      [given[0], given[1], '', '', ''],
    );
  },
);

t.test('with one, each request has a span, and the envelope its position', async (t) => {
  const spans = collectSpans(t);
  const { post, partition } = await startTestGateway(t);
  t.equal((await post(notification('aa01'), header(`00-${TRACE}-${PARENT}-01`))).status, 200);
  t.equal((await post(notification('aa02'), header('nonsense'))).status, 200);
  const [child, root] = spans();
  t.match(child, {
    name: 'POST /webhooks/{endpoint}',
    kind: SpanKind.SERVER,
    traceId: TRACE,
    parent: PARENT,
    failed: false,
  });
  t.strictSame(child?.attributes, {
    'http.request.method': 'POST',
    'http.route': '/webhooks/{endpoint}',
    'url.scheme': 'http',
    'url.path': '/webhooks/emp/REDACTED',
    'http.response.status_code': 200,
  });
  t.equal(root?.parent, '');
  t.strictSame(
    partition.envelopes.map(({ traceparent }) => traceparent),
    [child?.traceparent, root?.traceparent],
  );
});

t.test('the span says how the request ended', async (t) => {
  const spans = collectSpans(t);
  const { post, partition, client } = await startTestGateway(t);
  await post('unique_id=aa01&signature=0');
  await post(notification('aa01'), ['Content-Type: text/plain']);
  partition.behaviour = new LogFullError('full');
  await post(notification('aa01'));
  partition.behaviour = 'hold';
  const leaving = await client();
  leaving.write(request({ method: 'POST', path: WEBHOOK_PATH, headers: [FORM], body: notification('aa01') }));
  await until('the append is under way', () => partition.held.length === 1);
  leaving.destroy();
  await until('all have ended', () => spans().length === 4);
  partition.release();
  t.strictSame(
    spans().map(({ attributes, failed }) => [
      attributes['http.response.status_code'],
      attributes['error.type'],
      failed,
    ]),
    [
      [401, undefined, false],
      [415, undefined, false],
      [503, '503', true],
      [undefined, 'aborted', true],
    ],
  );
});

t.test('no secret is in a span, and a request to nobody has none', async (t) => {
  const spans = collectSpans(t);
  const token = 'a-token-that-nobody-may-see';
  const { ask } = await startTestGateway(t, {
    endpoints: [{ name: 'emp', provider: 'emp', token, secrets: ['hush-hush'], actor: 'payment' }],
  });
  const body = notification('aa01');
  await ask({ method: 'POST', path: `/webhooks/emp/${token}`, headers: [FORM], body });
  await ask({ method: 'POST', path: '/webhooks/emp/another-token', headers: [FORM], body });
  t.equal(spans().length, 1);
  const text = JSON.stringify(spans());
  for (const secret of [token, 'hush-hush', 'another-token', 'aa01']) t.notMatch(text, secret);
});

t.test('a provider that comes later is found', async (t) => {
  const { post, partition } = await startTestGateway(t);
  await post(notification('aa01'));
  const spans = collectSpans(t);
  await until('a request has a span', async () => {
    await post(notification('aa01'));
    return spans().length > 0;
  });
  t.equal(partition.envelopes[0]?.traceparent, '');
  t.equal(partition.envelopes.at(-1)?.traceparent, spans().at(-1)?.traceparent);
});
