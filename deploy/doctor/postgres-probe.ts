/** The doctor's connections to Postgres: one as the node's own, one with a wrong password, one to what may be pgBouncer's console. */
import { randomBytes } from 'node:crypto';
import { silentLogger } from '../../runtime/logger.js';
import { createPool, type Pool, PostgresUnavailableError } from '../../storage/postgres/index.js';
import { type CheckContext, type Finding, skipped } from './check.js';

const CONNECT_MS_MAX = 3_000;
const STATEMENT_MS_MAX = 2_000;

type DatabaseContext = Pick<CheckContext, 'settings' | 'refused' | 'mode' | 'undo'>;

/** The URL, or why there is none to look at. */
function databaseUrlOf({
  settings,
  refused,
  mode,
}: DatabaseContext): { readonly url: string } | { readonly none: Finding } {
  if (refused.has('TETHER_DATABASE_URL')) return { none: skipped('TETHER_DATABASE_URL is refused') };
  const { databaseUrl } = settings;
  if (databaseUrl !== undefined) return { url: databaseUrl };
  return {
    none: skipped(
      mode === 'up'
        ? 'TETHER_DATABASE_URL is not set: the Postgres of `tether up` is on 127.0.0.1, with a password of its own'
        : 'TETHER_DATABASE_URL is not set',
    ),
  };
}

/** `work` with the node's Postgres, there or not. */
async function onUrl(
  context: DatabaseContext,
  work: (pool: Pool, url: string) => Promise<Finding>,
): Promise<Finding> {
  const place = databaseUrlOf(context);
  if ('none' in place) return place.none;
  return work(open(place.url, context), place.url);
}

/** The same for a check that has nothing to say while Postgres is away. */
function onPostgres(
  context: DatabaseContext,
  work: (pool: Pool, url: string) => Promise<Finding>,
): Promise<Finding> {
  return onUrl(context, async (pool, url) => {
    try {
      return await work(pool, url);
    } catch (error) {
      if (error instanceof PostgresUnavailableError)
        return skipped('Postgres cannot be used: see postgres-reach');
      throw error;
    }
  });
}

/**
 * Whether a password that is not the right one is let in. It leaves a line in the server's log.
 * @throws PostgresUnavailableError when nobody is there
 */
async function letsAnybodyIn(url: string, context: Pick<CheckContext, 'undo'>): Promise<boolean> {
  const wrong = new URL(url);
  wrong.password = randomBytes(12).toString('hex');
  try {
    await open(wrong.href, context).query('SELECT 1');
    return true;
  } catch (error) {
    if (error instanceof PostgresUnavailableError && isRefusal(error)) return false;
    throw error;
  }
}

/** Class 28 is Postgres's own; pgBouncer says it as a violation of the protocol. */
function isRefusal({ reason, message }: PostgresUnavailableError): boolean {
  return reason.startsWith('28') || (reason === '08P01' && /password|auth|SASL/i.test(message));
}

type Bouncer =
  | { readonly kind: 'none' }
  /** It is there, and does not show this user its settings. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly mode: string; readonly poolSize: string; readonly version: string };

/** What stands before Postgres at this URL: pgBouncer has a database of its own name, Postgres as a rule has none. */
async function bouncerAt(url: string, context: Pick<CheckContext, 'undo'>): Promise<Bouncer> {
  const console = new URL(url);
  const database = decodeURIComponent(console.pathname.slice(1));
  console.pathname = '/pgbouncer';
  const pool = open(console.href, context);
  try {
    const { rows } = await pool.query<{ key: string; value: string }>('SHOW CONFIG');
    const setting = (key: string) => rows.find((row) => row.key === key)?.value ?? 'unknown';
    const databases = await pool.query<{ name: string; pool_mode: string | null; pool_size: string }>(
      'SHOW DATABASES',
    );
    const own = databases.rows.find(({ name }) => name === database);
    const version = await pool.query<{ version: string }>('SHOW VERSION');
    return {
      kind: 'open',
      mode: own?.pool_mode ?? setting('pool_mode'),
      poolSize: String(own?.pool_size ?? setting('default_pool_size')),
      version: version.rows[0]?.version ?? 'pgBouncer',
    };
  } catch (error) {
    const reason = error instanceof PostgresUnavailableError ? error.reason : '';
    return { kind: reason === '08P01' ? 'closed' : 'none' };
  }
}

function open(url: string, { undo }: Pick<CheckContext, 'undo'>): Pool {
  const pool = createPool({
    url,
    connectionsMax: 1,
    applicationName: 'tether doctor',
    logger: silentLogger,
    connectMsMax: CONNECT_MS_MAX,
    statementMsMax: STATEMENT_MS_MAX,
  });
  undo(() => pool.end());
  return pool;
}

export { bouncerAt, databaseUrlOf, letsAnybodyIn, onPostgres, onUrl };
