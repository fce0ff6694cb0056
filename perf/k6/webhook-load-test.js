// @ts-check
/**
 * The acceptance load test: notifications of EMP, 80 % sales and 20 % chargebacks, ramped to RATE requests a second (100) over DURATION (2m). Three
 * tenths of the time go up, six at the full rate, one down.
 */
import { asDuration, count, seconds, vus, vusMax } from './lib/settings.js';
import { summarise } from './lib/summary.js';
import { begin, sendNotification, THRESHOLDS, TREND_STATS } from './lib/webhooks.js';

const rate = count('RATE', 100);
const duration = seconds('DURATION', '2m');

/** @type {import('k6/options').Options} */
export const options = {
  scenarios: {
    webhooks: {
      executor: 'ramping-arrival-rate',
      startRate: 0,
      timeUnit: '1s',
      preAllocatedVUs: vus,
      maxVUs: vusMax,
      stages: [
        { target: rate, duration: asDuration(duration * 0.3) },
        { target: rate, duration: asDuration(duration * 0.6) },
        { target: 0, duration: asDuration(duration * 0.1) },
      ],
    },
  },
  thresholds: { ...THRESHOLDS, http_req_duration: ['p(95)<100', 'p(99)<200'] },
  summaryTrendStats: TREND_STATS,
};

export const setup = begin;

/** @param {{ run: string }} data */
export default function iteration(data) {
  sendNotification(data);
}

/** @param {import('./lib/summary.js').SummaryData} data */
export function handleSummary(data) {
  return summarise('webhook-load-test', data);
}
