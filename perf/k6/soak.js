// @ts-check
/**
 * A long steady rate: RATE notifications a second (200) for DURATION (1h). Latency must not drift: what the first and the last tenth took is shown
 * side by side.
 */
import exec from 'k6/execution';
import { Trend } from 'k6/metrics';
import { asDuration, count, seconds, vus, vusMax } from './lib/settings.js';
import { summarise } from './lib/summary.js';
import { begin, sendNotification, THRESHOLDS, TREND_STATS } from './lib/webhooks.js';

const rate = count('RATE', 200);
const duration = seconds('DURATION', '1h');
const total = rate * duration;
const firstTenth = new Trend('webhook_ack_first_tenth', true);
const lastTenth = new Trend('webhook_ack_last_tenth', true);

/** @type {import('k6/options').Options} */
export const options = {
  scenarios: {
    soak: {
      executor: 'constant-arrival-rate',
      rate,
      timeUnit: '1s',
      duration: asDuration(duration),
      preAllocatedVUs: vus,
      maxVUs: vusMax,
    },
  },
  thresholds: {
    ...THRESHOLDS,
    http_req_duration: ['p(95)<100', 'p(99)<200'],
    webhook_ack_last_tenth: ['p(95)<100'],
  },
  summaryTrendStats: TREND_STATS,
};

export const setup = begin;

/** @param {{ run: string }} data */
export default function iteration(data) {
  const tookMs = sendNotification(data);
  const progress = exec.scenario.iterationInTest / total;
  if (progress < 0.1) firstTenth.add(tookMs);
  else if (progress >= 0.9) lastTenth.add(tookMs);
}

/** @param {import('./lib/summary.js').SummaryData} data */
export function handleSummary(data) {
  return summarise('soak', data);
}
