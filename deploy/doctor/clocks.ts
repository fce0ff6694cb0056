/**
 * Checks of clocks: this machine's against those of the servers, each taken to have been read in the middle of the time that the answer took.
 *
 * Times of leases and of the log come from Redis and from Postgres themselves; a wrong clock here spoils the times in `events`, in the
 * logs and in the traces, signed URLs (S3 refuses after 15 minutes), and tokens that expire.
 */
import { request } from 'undici';
import { type Check, type Finding, failed, ok, skipped, warning } from './check.js';
import { locationOf } from './objects.js';
import { onPostgres } from './postgres-probe.js';
import { onRedis } from './redis-probe.js';

const SKEW_MS_MAX = 1_000;
const SKEW_MS_BAD = 60_000;
const ANSWER_MS_MAX = 3_000;

/** @param uncertainMs by which the reading itself may be wrong */
function judge(name: string, skewMs: number, uncertainMs: number): Finding {
  const shown = `${Math.abs(Math.round(skewMs))} ms ${skewMs < 0 ? 'behind' : 'ahead of'} ${name} (±${Math.ceil(uncertainMs)} ms)`;
  const sureMs = Math.max(0, Math.abs(skewMs) - uncertainMs);
  const advice = 'let the machines keep time: chrony or systemd-timesyncd (timedatectl shows it)';
  if (sureMs > SKEW_MS_BAD) return failed(`this clock is ${shown}`, advice);
  if (sureMs > SKEW_MS_MAX) return warning(`this clock is ${shown}`, advice);
  return ok(sureMs === 0 ? `no difference to ${name} (±${Math.ceil(uncertainMs)} ms)` : `${shown}`);
}

/** This clock against what `read` says, which is exact to `stepMs`. */
async function compare(name: string, read: () => Promise<number>, stepMs = 0): Promise<Finding> {
  const began = Date.now();
  const started = performance.now();
  const theirs = await read();
  const tookMs = performance.now() - started;
  return judge(name, began + tookMs / 2 - (theirs + stepMs / 2), (tookMs + stepMs) / 2);
}

const postgres: Check = {
  id: 'clock-postgres',
  title: 'The clock of Postgres is ours',
  run: (context) =>
    onPostgres(context, async (pool) => {
      // The connection is made first, so that it does not count.
      await pool.query('SELECT 1');
      return compare('Postgres', async () => {
        const { rows } = await pool.query<{ ms: string }>(
          'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms',
        );
        return Number(rows[0]?.ms);
      });
    }),
};

const redis: Check = {
  id: 'clock-redis',
  title: 'The clock of Redis is ours',
  run: (context) =>
    onRedis(context, async (servers) => {
      const findings = await Promise.all(
        servers.map(({ redis }) =>
          compare('Redis', async () => {
            const [seconds, micros] = await redis.time();
            return Number(seconds) * 1_000 + Number(micros) / 1_000;
          }),
        ),
      );
      const order = ['failed', 'warning', 'ok'] as const;
      const worst = order.flatMap((outcome) => findings.filter((finding) => finding.outcome === outcome))[0];
      return worst ?? skipped('no server is known');
    }),
};

const objects: Check = {
  id: 'clock-s3',
  title: 'The clock of the object store is ours',
  async run(context) {
    const place = locationOf(context);
    if ('none' in place) return place.none;
    const { secure, host, port } = place.location;
    const origin = `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}/`;
    let told: string | undefined;
    try {
      // Whatever it answers has a date; to the second.
      return await compare(
        'the object store',
        async () => {
          const { headers, body } = await request(origin, {
            method: 'HEAD',
            headersTimeout: ANSWER_MS_MAX,
            bodyTimeout: ANSWER_MS_MAX,
          });
          await body.dump();
          told = [headers.date].flat()[0];
          const ms = Date.parse(told ?? '');
          if (Number.isNaN(ms)) throw new Error('no date');
          return ms;
        },
        1_000,
      );
    } catch {
      return skipped(
        told === undefined ? 'the store cannot be used: see s3-use' : 'the store does not tell its time',
      );
    }
  },
};

const clockChecks: readonly Check[] = [postgres, redis, objects];

export { clockChecks, judge };
