// @ts-check
/** What a script sends to, and how much: from the environment, with the defaults of a node that `tether up` has started. */

/**
 * @param {string} name
 * @param {string} fallback where the variable is not set, or empty
 * @returns {string}
 */
function text(name, fallback) {
  return __ENV[name] || fallback;
}

/**
 * @param {string} name
 * @param {number} fallback
 * @returns {number} a whole number from 1
 */
export function count(name, fallback) {
  const value = Number(text(name, String(fallback)));
  if (!(Number.isInteger(value) && value >= 1)) throw new Error(`${name} is a whole number from 1`);
  return value;
}

/**
 * @param {string} name
 * @param {string} fallback such as `1m30s`
 * @returns {number} seconds, at least `least`
 */
export function seconds(name, fallback, least = 1) {
  const value = text(name, fallback);
  /** @type {Record<string, number>} */
  const units = { h: 3600, m: 60, s: 1 };
  let sum = 0;
  if (!/^(?:\d+(?:\.\d+)?[hms])+$/.test(value))
    throw new Error(`${name} is a duration such as 1h, 1m30s or 20s`);
  for (const part of value.match(/\d+(?:\.\d+)?[hms]/g) || [])
    sum += Number(part.slice(0, -1)) * (units[part.slice(-1)] || 0);
  if (sum < least) throw new Error(`${name} is at least ${least}s`);
  return sum;
}

/**
 * For k6, which takes whole milliseconds.
 * @param {number} value seconds
 */
export function asDuration(value) {
  return `${Math.round(value * 1000)}ms`;
}

/** Without a slash at its end. */
export const baseUrl = text('TETHER_URL', 'http://127.0.0.1:8080').replace(/\/+$/, '');
export const webhookUrl = `${baseUrl}/webhooks/${text('WEBHOOK_ENDPOINT', 'emp')}/${text('WEBHOOK_TOKEN', 'dev')}`;
/** Signs notifications. */
export const webhookPassword = text('WEBHOOK_PASSWORD', 'test-api-password-1');
export const apiToken = text('TETHER_API_TOKEN', '');
/** Where the summary goes as JSON; empty: nowhere. */
export const summaryFile = text('SUMMARY_FILE', '');
/** VUs at the start, and at most: each has one request under way. */
export const vus = count('VUS', 10);
export const vusMax = Math.max(vus, count('VUS_MAX', 100));
