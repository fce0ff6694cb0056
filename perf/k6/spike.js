// @ts-check
/**
 * A day of SEPA direct debits in short, DURATION (50s) long: idle at RATE notifications a second (5) for IDLE (two fifths of it), a burst at BURST_RATE (500) for
 * BURST (one fifth), and idle again. All of the burst must be acknowledged, and what comes after it must not feel it.
 */
import { asDuration, count, seconds, vus, vusMax } from './lib/settings.js';
import { summarise } from './lib/summary.js';
import { begin, sendNotification, THRESHOLDS, TREND_STATS } from './lib/webhooks.js';

const rate = count('RATE', 5);
const burstRate = count('BURST_RATE', 500);
const total = seconds('DURATION', '50s', 5);
const idle = seconds('IDLE', `${total * 0.4}s`);
const burst = seconds('BURST', `${total * 0.2}s`);

/**
 * @param {number} perSecond
 * @param {number} start seconds after the beginning
 * @param {number} length seconds
 * @param {number} allocated VUs at the start
 * @param {number} most VUs at most
 * @returns {import('k6/options').ConstantArrivalRateScenario}
 */
function phase(perSecond, start, length, allocated, most) {
  return {
    executor: 'constant-arrival-rate',
    rate: perSecond,
    timeUnit: '1s',
    startTime: asDuration(start),
    duration: asDuration(length),
    preAllocatedVUs: allocated,
    maxVUs: most,
  };
}

/** @type {import('k6/options').Options} */
export const options = {
  scenarios: {
    before: phase(rate, 0, idle, 2, 10),
    // A node that takes 50 ms for each needs so many at once.
    burst: phase(
      burstRate,
      idle,
      burst,
      Math.min(vusMax, Math.max(vus, Math.ceil(burstRate * 0.05))),
      vusMax,
    ),
    after: phase(rate, idle + burst, idle, 2, 10),
  },
  thresholds: {
    ...THRESHOLDS,
    'http_req_duration{scenario:before}': ['p(95)<100'],
    'http_req_duration{scenario:burst}': ['p(95)<1000'],
    'http_req_duration{scenario:after}': ['p(95)<100'],
  },
  summaryTrendStats: TREND_STATS,
};

export const setup = begin;

/** @param {{ run: string }} data */
export default function iteration(data) {
  sendNotification(data);
}

/** @param {import('./lib/summary.js').SummaryData} data */
export function handleSummary(data) {
  return summarise('spike', data);
}
