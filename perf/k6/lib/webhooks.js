// @ts-check
/** Sends notifications and holds the node to their echo: what the load tests of webhooks share. */
import { check } from 'k6';
import crypto from 'k6/crypto';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';
import { notificationOf } from './notification.js';
import { baseUrl, webhookPassword, webhookUrl } from './settings.js';

const ackDuration = new Trend('webhook_ack_duration', true);
const acknowledged = new Rate('webhook_acknowledged');
const sent = { sdd_sale: new Counter('webhook_sdd_sale'), chargeback: new Counter('webhook_chargeback') };

/** What must hold of every load test of webhooks. */
export const THRESHOLDS = {
  http_req_failed: ['rate<0.01'],
  http_reqs: ['count>0'],
  checks: ['rate>0.99'],
  // If most are refused, the endpoint, its token or its password is wrong: no sense in going on.
  webhook_acknowledged: ['rate>0.99', { threshold: 'rate>0.5', abortOnFail: true, delayAbortEval: '10s' }],
  // What is dropped was not sent: the rate that is asked for was not the rate that was tested.
  dropped_iterations: ['rate<1'],
};

/** For `handleSummary`: p(99) is not among what k6 shows by itself. */
export const TREND_STATS = ['avg', 'min', 'med', 'max', 'p(95)', 'p(99)', 'count'];

/**
 * For `setup`: ends the run when nobody is there.
 * @returns {{ run: string }} what tells this run from others
 */
export function begin() {
  const answer = http.get(`${baseUrl}/livez`);
  if (answer.status === 0)
    exec.test.abort(`nothing answers at ${baseUrl} (${answer.error}): start a node, or give TETHER_URL`);
  return { run: crypto.md5(`${Date.now()}:${Math.random()}`, 'hex') };
}

/**
 * Sends the notification of this iteration.
 * @param {{ run: string }} data of `begin`
 * @returns {number} milliseconds until it was acknowledged, or until it was not
 */
export function sendNotification(data) {
  const { name, iterationInTest } = exec.scenario;
  const { kind, uniqueId, body } = notificationOf(`${data.run}:${name}`, iterationInTest, webhookPassword);
  const answer = http.post(webhookUrl, body, {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    tags: { name: 'webhook', kind },
    timeout: '10s',
  });
  const passed = check(answer, {
    'status is 200': (r) => r.status === 200,
    'the id is echoed': (r) =>
      typeof r.body === 'string' && r.body.includes(`<unique_id>${uniqueId}</unique_id>`),
  });
  sent[kind].add(1);
  acknowledged.add(passed);
  if (passed) ackDuration.add(answer.timings.duration, { kind });
  return answer.timings.duration;
}
