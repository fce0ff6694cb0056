/** What is wrong with a configuration of which each value is right: the rules between keys. */
import type { ConfigValues } from './config-keys.js';

const DAY_MS = 86_400_000;

/** What is wrong with values that are right by themselves. A key without one has its problem already. */
function rulesBetween(values: Partial<ConfigValues>): string[] {
  const {
    TETHER_JOURNAL_BYTES_MAX: bytesMax = Number.POSITIVE_INFINITY,
    TETHER_JOURNAL_SEGMENT_BYTES: segmentBytes = 0,
    TETHER_RETRY_DELAY_MS: delayMs = 0,
    TETHER_RETRY_DELAY_MS_MAX: delayMsMax = Number.POSITIVE_INFINITY,
    TETHER_ARCHIVE_AFTER_MS: afterMs,
    TETHER_ARCHIVE_KEEP_DAYS: keepDays = 0,
    TETHER_S3_SSE: encryption,
    TETHER_S3_URL: s3Url,
    TETHER_TLS_CERT_FILE: certFile,
    TETHER_TLS_KEY_FILE: keyFile,
    TETHER_PROXY_PROTOCOL: proxyProtocol,
  } = values;
  const problems = rulesOfTheLog(values);
  if (segmentBytes * 2 > bytesMax) {
    problems.push(
      'TETHER_JOURNAL_SEGMENT_BYTES is more than half of TETHER_JOURNAL_BYTES_MAX: a journal needs two files',
    );
  }
  if (delayMs > delayMsMax) {
    problems.push(
      `TETHER_RETRY_DELAY_MS is ${delayMs}: allowed is at most TETHER_RETRY_DELAY_MS_MAX, which is ${delayMsMax}`,
    );
  }
  if (keepDays > 0 && afterMs !== undefined && afterMs > keepDays * DAY_MS) {
    problems.push(
      `TETHER_ARCHIVE_AFTER_MS is ${afterMs}: allowed is at most TETHER_ARCHIVE_KEEP_DAYS, which is ${keepDays}`,
    );
  }
  if (encryption !== undefined && encryption !== 'none' && s3Url === undefined) {
    problems.push(`TETHER_S3_SSE is "${encryption}": that needs TETHER_S3_URL`);
  }
  if (certFile !== undefined && keyFile === undefined)
    problems.push('TETHER_TLS_KEY_FILE is not set: that of TETHER_TLS_CERT_FILE is needed');
  if (keyFile !== undefined && certFile === undefined)
    problems.push('TETHER_TLS_CERT_FILE is not set: that of TETHER_TLS_KEY_FILE is needed');
  if (certFile !== undefined && proxyProtocol === 'on')
    problems.push(
      'TETHER_PROXY_PROTOCOL is "on": with TETHER_TLS_CERT_FILE allowed is off, as its header would come before TLS begins',
    );
  return problems;
}

/** What is wrong with how a node is to share its log. */
function rulesOfTheLog(values: Partial<ConfigValues>): string[] {
  const {
    TETHER_REDIS_URL: redisUrl,
    TETHER_DATABASE_URL: databaseUrl,
    TETHER_ROLE: role,
    TETHER_DURABILITY: durability,
  } = values;
  const driver = logDriverOf(values);
  const problems: string[] = [];
  if (driver === 'redis' && redisUrl === undefined)
    problems.push('TETHER_LOG_DRIVER is "redis": that needs TETHER_REDIS_URL');
  if (driver === 'redis' && redisUrl !== undefined && databaseUrl === undefined)
    problems.push('TETHER_DATABASE_URL is not set: nodes that share a log in Redis share their Postgres');
  if (driver === 'journal' && role !== undefined && role !== 'all')
    problems.push(
      `TETHER_ROLE is "${role}": a node with a part of the work needs the others, by TETHER_REDIS_URL`,
    );
  if (driver === 'journal' && durability === 'replicated')
    problems.push(
      'TETHER_DURABILITY is "replicated", which needs the redis driver: allowed is commit or memory',
    );
  if (driver === 'redis' && durability === 'replicated' && /^rediss?\+cluster:/.test(redisUrl ?? ''))
    problems.push(
      'TETHER_DURABILITY is "replicated", which a Redis Cluster cannot tell: allowed is commit or memory',
    );
  return problems;
}

function logDriverOf(values: Partial<ConfigValues>): 'journal' | 'redis' {
  return values.TETHER_LOG_DRIVER ?? (values.TETHER_REDIS_URL === undefined ? 'journal' : 'redis');
}

/** Of a message of a webhook that is not its body: texts of the envelope, and the headers that are kept. */
const BESIDE_BODY_BYTES_MAX = 64 * 1024;

/** The longest body of a webhook that the log takes: the journal, a message of half a file. */
function logBodyBytesMax(given: {
  readonly logDriver: 'journal' | 'redis';
  readonly journal: { readonly segmentBytes: number };
}): number {
  if (given.logDriver === 'redis') return Number.POSITIVE_INFINITY;
  return Math.floor(given.journal.segmentBytes / 2) - BESIDE_BODY_BYTES_MAX;
}

export { logBodyBytesMax, logDriverOf, rulesBetween };
