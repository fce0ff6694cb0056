/** The exposition in both formats, over HTTP and as Prometheus' own tool reads it. */
import t from 'tap';
import { GatewayMetrics } from './metrics.js';
import { wantsOpenMetrics } from './open-metrics.js';
import { FORM, notification, startTestGateway } from './test/start.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SAMPLED = `00-${TRACE}-00f067aa0ba902b7-01`;
const NOT_SAMPLED = `00-${TRACE.replace('4', '5')}-00f067aa0ba902b7-00`;
const PROMETHEUS_ACCEPT =
  'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';

t.test('the format is the one that is asked for, and text when none is', async (t) => {
  for (const accept of [
    PROMETHEUS_ACCEPT,
    'application/openmetrics-text',
    'Application/OpenMetrics-Text ;q=1',
  ]) {
    t.ok(wantsOpenMetrics(accept), accept);
  }
  for (const accept of [
    '',
    '*/*',
    'text/html,*/*;q=0.8',
    'text/plain',
    'application/openmetrics-text;q=0',
    'application/openmetrics-text;q=nonsense',
    'application/openmetrics-text;q=0.2,text/plain;q=0.5',
    `${'a/b,'.repeat(10_000)}application/openmetrics-text`,
  ]) {
    t.notOk(wantsOpenMetrics(accept), accept.slice(0, 60));
  }
});

t.test('each bucket has the trace of its latest message that was sampled', async (t) => {
  const metrics = new GatewayMetrics({ processMetrics: false });
  const { ask } = await startTestGateway(t, { metrics });
  metrics.observeAcknowledge(7, SAMPLED);
  metrics.observeAcknowledge(7, NOT_SAMPLED);
  metrics.observeAcknowledge(7);
  metrics.observeAcknowledge(7, 'nonsense');
  metrics.observeAcknowledge(99_999, SAMPLED);
  const before = Date.now() / 1_000;
  const { headers, body } = await ask({ path: '/metrics', headers: [`Accept: ${PROMETHEUS_ACCEPT}`] });
  t.match(headers, {
    'content-type': 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    vary: 'Accept',
  });
  const found = [...body.matchAll(/le="(\S+)"\} (\d+) # \{trace_id="(\w+)"\} (\S+) (\S+)/g)];
  t.strictSame(
    found.map(([, le, count, trace, value]) => [le, count, trace, value]),
    [
      ['0.01', '4', TRACE, '0.007'],
      ['+Inf', '5', TRACE, '99.999'],
    ],
  );
  for (const [, , , , , at] of found) t.ok(Math.abs(Number(at) - before) < 60);
  t.ok(body.endsWith('\n# EOF\n'));
  t.match(body, '# TYPE tether_gateway_requests counter\n');
  t.match(body, 'tether_gateway_requests_total{endpoint="emp",outcome="acknowledged"} 0\n');
  t.notMatch(body, '_total_total');

  const text = await ask({ path: '/metrics' });
  t.match(text.headers, { 'content-type': /^text\/plain/ });
  t.notMatch(text.body, 'trace_id', 'the other format has none');
  t.match(text.body, '# TYPE tether_gateway_requests_total counter\n', 'and its names are as ever');
});

t.test('a traced webhook leaves its trace', async (t) => {
  const metrics = new GatewayMetrics({ processMetrics: false });
  const { ask, post } = await startTestGateway(t, { metrics });
  await post(notification('aa01'), [FORM, `traceparent: ${SAMPLED}`]);
  const { body } = await ask({ path: '/metrics', headers: [`Accept: ${PROMETHEUS_ACCEPT}`] });
  t.match(body, `# {trace_id="${TRACE}"}`);
});

t.test('what stands in labels and texts is escaped', async (t) => {
  const metrics = new GatewayMetrics({ processMetrics: false });
  metrics.gauges('a_gauge', 'line\nand "quote"', ['name'], () => [
    { labels: { name: 'a"b\\c\nd' }, value: Number.POSITIVE_INFINITY },
  ]);
  const { ask } = await startTestGateway(t, { metrics });
  const { body } = await ask({ path: '/metrics', headers: [`Accept: ${PROMETHEUS_ACCEPT}`] });
  t.match(body, '# HELP a_gauge line\\nand \\"quote\\"\n');
  t.match(body, 'a_gauge{name="a\\"b\\\\c\\nd"} +Inf\n');
});
