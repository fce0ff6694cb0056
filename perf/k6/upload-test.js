// @ts-check
/**
 * Files of debtors to `POST /uploads`: CLIENTS (2) at a time send files of ROWS rows (1000), one after the other, for DURATION (1m); each second file as
 * a form, as a browser sends it, the others as a raw body. Needs the scope `uploads:write`.
 */
import { check } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';
import { debtorCsv, formOf } from './lib/debtor-file.js';
import { apiToken, asDuration, baseUrl, count, seconds } from './lib/settings.js';
import { summarise } from './lib/summary.js';

const clients = count('CLIENTS', 2);
const rows = count('ROWS', 1000);
const duration = seconds('DURATION', '1m');
const kept = new Rate('upload_kept');
const bytes = new Counter('upload_bytes');
const keptDuration = new Trend('upload_kept_duration', true);

/** @type {import('k6/options').Options} */
export const options = {
  scenarios: {
    uploads: { executor: 'constant-vus', vus: clients, duration: asDuration(duration) },
  },
  thresholds: {
    http_req_failed: ['rate<0.01'],
    http_reqs: ['count>0'],
    checks: ['rate>0.99'],
    upload_kept: ['rate>0.99', { threshold: 'rate>0.5', abortOnFail: true, delayAbortEval: '5s' }],
    upload_kept_duration: ['p(95)<5000'],
  },
  summaryTrendStats: ['avg', 'min', 'med', 'max', 'p(95)', 'p(99)', 'count'],
};

export function setup() {
  if (apiToken === '')
    exec.test.abort('TETHER_API_TOKEN is not set: the token is in .tether/api-token of an embedded node');
  const answer = http.get(`${baseUrl}/livez`);
  if (answer.status === 0)
    exec.test.abort(`nothing answers at ${baseUrl} (${answer.error}): start a node, or give TETHER_URL`);
}

export default function iteration() {
  const index = exec.scenario.iterationInTest;
  const filename = `k6-${index}.csv`;
  const content = debtorCsv(index, rows);
  const asForm = index % 2 === 1;
  const boundary = `k6-boundary-${index}`;
  const type = asForm ? `multipart/form-data; boundary=${boundary}` : 'text/csv';
  const url = asForm ? `${baseUrl}/uploads` : `${baseUrl}/uploads?filename=${filename}`;
  const answer = http.post(url, asForm ? formOf(content, filename, boundary) : content, {
    headers: { Authorization: `Bearer ${apiToken}`, 'Content-Type': type },
    tags: { name: 'upload', via: asForm ? 'form' : 'raw' },
    timeout: '60s',
  });
  const passed = check(answer, {
    'status is 201': (r) => r.status === 201,
    'it has a place': (r) => r.headers.Location !== undefined,
    'all of its bytes are kept': (r) => r.status === 201 && sizeOf(r.json()) === content.length,
  });
  kept.add(passed);
  if (!passed) return;
  bytes.add(content.length);
  keptDuration.add(answer.timings.duration);
}

/** @param {unknown} upload as the answer has it */
function sizeOf(upload) {
  return typeof upload === 'object' && upload !== null && 'bytes' in upload ? upload.bytes : undefined;
}

/** @param {import('./lib/summary.js').SummaryData} data */
export function handleSummary(data) {
  return summarise('upload-test', data);
}
