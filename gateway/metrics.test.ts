import t from 'tap';
import { GatewayMetrics } from './metrics.js';
import { notification, startTestGateway } from './test/start.js';

t.test('what happened at an endpoint is counted', async (t) => {
  let nowMs = 0;
  const metrics = new GatewayMetrics({ processMetrics: false, clockMs: () => (nowMs += 2) });
  const { ask, post } = await startTestGateway(t, { metrics });
  await post(notification('aa01'));
  await post(notification('aa02'));
  await post(notification('aa01').replace('aa01', 'aa03'));
  await ask({ method: 'POST', path: '/webhooks/emp/wrong', body: '' });

  for (let scrape = 0; scrape < 2; scrape++) {
    const { status, headers, body } = await ask({ path: '/metrics' });
    t.match(
      { status, headers },
      { status: 200, headers: { 'content-type': /^text\/plain; version=0\.0\.4/ } },
    );
    const lines = new Set(body.split('\n'));
    for (const line of [
      '# TYPE tether_gateway_requests_total counter',
      'tether_gateway_requests_total{endpoint="emp",outcome="acknowledged"} 2',
      'tether_gateway_requests_total{endpoint="emp",outcome="wrong_signature"} 1',
      'tether_gateway_requests_total{endpoint="emp",outcome="malformed"} 0',
      'tether_gateway_unknown_endpoint_total 1',
      '# TYPE tether_gateway_acknowledge_seconds histogram',
      'tether_gateway_acknowledge_seconds_bucket{le="0.001"} 0',
      'tether_gateway_acknowledge_seconds_bucket{le="0.0025"} 2',
      'tether_gateway_acknowledge_seconds_bucket{le="+Inf"} 2',
      'tether_gateway_acknowledge_seconds_count 2',
      'tether_gateway_acknowledge_seconds_sum 0.004',
      'tether_gateway_pending 0',
    ]) {
      t.ok(lines.has(line), line);
    }
  }
});

t.test('times fall into their buckets', async (t) => {
  const metrics = new GatewayMetrics({ processMetrics: false });
  for (const ms of [0, 0.1, 0.11, 7, 10_000, 99_999]) metrics.observeAcknowledge(ms);
  const text = await metrics.registry.metrics();
  const counts = [...text.matchAll(/_bucket\{le="(.*)"\} (\d+)/g)].map(([, le, count]) => `${le}:${count}`);
  t.equal(
    counts.join(' '),
    '0.0001:2 0.00025:3 0.0005:3 0.001:3 0.0025:3 0.005:3 0.01:4 0.025:4 0.05:4 0.1:4 0.2:4 0.25:4 0.5:4 1:4 2.5:4 5:4 10:5 +Inf:6',
  );
});

t.test('gauges and counters of other parts, read at the scrape', async (t) => {
  const metrics = new GatewayMetrics({ processMetrics: false });
  let lag = 3;
  metrics.gauge('tether_log_lag', 'Messages on the log', () => lag);
  t.match(await metrics.registry.metrics(), 'tether_log_lag 3');
  lag = 4;
  t.match(await metrics.registry.metrics(), 'tether_log_lag 4');
  t.throws(() => metrics.gauge('tether_log_lag', 'again', () => 0));
  let done = 5;
  metrics.counter('tether_done_total', 'Messages done', () => done);
  t.match(await metrics.registry.metrics(), /# TYPE tether_done_total counter\ntether_done_total 5\n/);
  done = 6;
  t.match(await metrics.registry.metrics(), /\ntether_done_total 6\n/);
  t.throws(() => metrics.counter('tether_done_total', 'again', () => 0));
});

t.test('the process is measured too', async (t) => {
  const text = await new GatewayMetrics().registry.metrics();
  t.match(text, 'process_resident_memory_bytes');
  t.match(text, 'nodejs_eventloop_lag_seconds');
});
