/** Endpoints that are replaced while the gateway serves. */
import t from 'tap';
import type { Endpoint } from './endpoints.js';
import { request } from './test/raw-client.js';
import { FORM, notification, PASSWORD, startTestGateway } from './test/start.js';

const endpoint = (name: string, more: Partial<Endpoint> = {}): Endpoint => ({
  name,
  provider: 'emp',
  token: 'dev',
  secrets: [PASSWORD],
  actor: 'payment',
  ...more,
});
const statusOf = ({ status }: { readonly status: number }) => status;

t.test('others are served from now on; counts of those that stay go on', async (t) => {
  const { gateway, ask, metrics } = await startTestGateway(t);
  const post = async (path: string, id: string) =>
    statusOf(await ask({ method: 'POST', path, headers: [FORM], body: notification(id) }));
  t.equal(await post('/webhooks/emp/dev', '1'), 200);
  t.equal(await post('/webhooks/other/dev', '2'), 404);
  gateway.serve([endpoint('emp'), endpoint('other')], true);
  t.equal(await post('/webhooks/emp/dev', '3'), 200);
  t.equal(await post('/webhooks/other/dev', '4'), 200);
  gateway.serve([endpoint('other', { token: 'new', secrets: ['another-password'] })], true);
  t.equal(await post('/webhooks/emp/dev', '5'), 404);
  t.equal(await post('/webhooks/other/dev', '6'), 404, 'the old token');
  t.equal(await post('/webhooks/other/new', '7'), 401, 'the old password');
  gateway.serve([endpoint('emp')], true);
  t.equal(await post('/webhooks/emp/dev', '8'), 200);
  const text = await metrics.registry.metrics();
  t.match(text, /requests_total\{endpoint="emp",outcome="acknowledged"\} 3\n/);
  t.match(text, /requests_total\{endpoint="other",outcome="acknowledged"\} 1\n/, 'it was taken away');
});

t.test('when one is wrong, those that were are served on', async (t) => {
  const { gateway, post } = await startTestGateway(t);
  for (const [wrong, message] of [
    [endpoint('a b'), /a name is of the form/],
    [endpoint('x', { provider: 'nobody' }), /there is no provider "nobody"/],
    [endpoint('x', { token: 'a b' }), /the token is not/],
    [endpoint('x', { secrets: [] }), /at least one secret/],
    [endpoint('x', { networks: ['here'] }), /x: networks/],
    [endpoint('emp'), /emp is defined twice/],
  ] as const) {
    t.throws(() => gateway.serve([endpoint('emp', { secrets: ['changed'] }), wrong], true), {
      code: 'TETHER_GATEWAY_OPTION',
      message,
    });
  }
  t.equal(statusOf(await post(notification('1'))), 200);
});

t.test('a request under way ends with the endpoint that it began with', async (t) => {
  const { gateway, client } = await startTestGateway(t);
  const slow = await client();
  const body = notification('1');
  const whole = request({ method: 'POST', path: '/webhooks/emp/dev', headers: [FORM], body });
  slow.write(whole.slice(0, -10));
  const other = await client();
  other.write(request({ method: 'POST', path: '/webhooks/emp/dev', headers: [FORM], body }));
  t.equal(statusOf(await other.response()), 200, 'what was written before is read by now');
  gateway.serve([], true);
  slow.write(whole.slice(-10));
  t.equal(statusOf(await slow.response()), 200);
  slow.write(whole);
  t.equal(statusOf(await slow.response()), 404, 'the next one on the same connection');
});

t.test('until all are known, who sends to another one is told to try again', async (t) => {
  const { gateway, ask, post, metrics } = await startTestGateway(t, { endpointsComplete: false });
  t.equal(statusOf(await post(notification('1'))), 200);
  const other = () =>
    ask({ method: 'POST', path: '/webhooks/other/dev', headers: [FORM], body: notification('2') });
  t.match(await other(), { status: 503, headers: { 'retry-after': '5' }, body: /unavailable/ });
  t.equal(metrics.unknownEndpoint, 1);
  gateway.serve([], true);
  t.equal(statusOf(await other()), 404);
});

t.test('no count falls, however many endpoints come and go', async (t) => {
  const { gateway, post, metrics } = await startTestGateway(t);
  t.equal(statusOf(await post(notification('1'))), 200);
  for (let n = 0; n < 1_100; n++) gateway.serve([endpoint(`e-${n}`)], true);
  t.equal(metrics.totals().acknowledged, 1);
  const text = await metrics.registry.metrics();
  t.match(text, /endpoint="\(forgotten\)",outcome="acknowledged"\} 1\n/);
  t.notMatch(text, /endpoint="emp"/);
  t.equal([...text.matchAll(/outcome="acknowledged"/g)].length, 1_002);
});
