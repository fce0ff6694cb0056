/** Checks of Postgres: that it can be used, keeps what is committed, and is nobody else's. */
import {
  inTransaction,
  MigrationChangedError,
  PostgresQueryError,
  PostgresUnavailableError,
  type Queryable,
  readSchemaState,
  SchemaNewerError,
  schemaTables,
} from '../../storage/postgres/index.js';
import { type Check, failed, ok, skipped, warning } from './check.js';
import { isLoopback, isLoopbackAddress } from './loopback.js';
import { bouncerAt, databaseUrlOf, letsAnybodyIn, onPostgres, onUrl } from './postgres-probe.js';

/** Older ones nobody has tried with these statements. */
const VERSION_MIN = 13;
/** The oldest that its makers still mend. */
const VERSION_MENDED = 15;

const reach: Check = {
  id: 'postgres-reach',
  title: 'Postgres answers, and is new enough',
  run: (context) =>
    onUrl(context, async (pool, url) => {
      const { host } = new URL(url);
      try {
        const { rows } = await pool.query<{ number: string; version: string }>(
          "SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version",
        );
        const major = Math.floor(Number(rows[0]?.number) / 10_000);
        const found = `${host}: version ${rows[0]?.version ?? 'unknown'}`;
        if (major < VERSION_MIN) return failed(found, `Tether needs Postgres ${VERSION_MIN} or later`);
        if (major < VERSION_MENDED) {
          return warning(
            `${found}, which gets no fixes any more`,
            `go to Postgres ${VERSION_MENDED} or later`,
          );
        }
        return ok(found);
      } catch (error) {
        if (!(error instanceof PostgresUnavailableError)) throw error;
        return failed(error.message, adviceFor(error.reason));
      }
    }),
};

function adviceFor(reason: string): string {
  if (reason.startsWith('28'))
    return 'put the user and password that Postgres knows into TETHER_DATABASE_URL';
  if (reason === '3D000') return 'make the database, or mend its name in TETHER_DATABASE_URL';
  return 'start Postgres, or mend TETHER_DATABASE_URL and the network between';
}

const auth: Check = {
  id: 'postgres-auth',
  title: 'Postgres wants the right password',
  run: (context) =>
    onPostgres(context, async (pool, url) => {
      const { hostname, searchParams } = new URL(url);
      if (searchParams.has('sslcert')) return skipped('this user comes with a certificate');
      if (await letsAnybodyIn(url, context)) {
        return failed(
          `${hostname} lets this user in with a wrong password`,
          'in pg_hba.conf (of pgBouncer: auth_type) put scram-sha-256 in place of trust, and reload it',
        );
      }
      const trusted = await trustedLines(pool);
      if (trusted.length > 0) {
        return warning(
          `a wrong password is refused, and yet pg_hba.conf trusts others: ${trusted.join('; ')}`,
          'put scram-sha-256 in place of trust in these lines, and reload it',
        );
      }
      return ok('a wrong password is refused');
    }),
};

/** Lines of pg_hba.conf that ask for nothing; none where this user may not see them. */
async function trustedLines(pool: Queryable): Promise<readonly string[]> {
  const { rows: may } = await pool.query<{ may: boolean }>(
    "SELECT has_function_privilege('pg_hba_file_rules()', 'EXECUTE') AND has_table_privilege('pg_hba_file_rules', 'SELECT') AS may",
  );
  if (may[0]?.may !== true) return [];
  const { rows } = await pool.query<{ line: string }>(
    `SELECT format('line %s: %s for %s', line_number, type, coalesce(address, 'this machine')) AS line
       FROM pg_hba_file_rules WHERE auth_method = 'trust' ORDER BY line_number LIMIT 10`,
  );
  return rows.map(({ line }) => line);
}

const bind: Check = {
  id: 'postgres-bind',
  title: 'Postgres listens where it should',
  run: (context) =>
    onPostgres(context, async (pool, url) => {
      const { rows } = await pool.query<{ addresses: string }>(
        "SELECT current_setting('listen_addresses') AS addresses",
      );
      const addresses = rows[0]?.addresses ?? '';
      const list = addresses
        .split(',')
        .map((address) => address.trim())
        .filter((address) => address !== '');
      if (list.every((address) => address === 'localhost' || isLoopbackAddress(address))) {
        return ok(`listen_addresses ${addresses === '' ? 'none: by a socket only' : addresses}`);
      }
      const shown = `listen_addresses ${addresses}`;
      if (await letsAnybodyIn(url, context)) {
        return failed(
          `${shown}, and this user needs no password: whoever reaches it has the database`,
          'set listen_addresses to a private address, and scram-sha-256 in pg_hba.conf',
        );
      }
      return ok(`${shown}, with a password; whether a firewall stands before it, a process cannot see`);
    }),
};

const encrypted: Check = {
  id: 'postgres-tls',
  title: 'What goes to Postgres is encrypted, or stays on this machine',
  async run(context) {
    const place = databaseUrlOf(context);
    if ('none' in place) return place.none;
    const { hostname, searchParams } = new URL(place.url);
    const mode = searchParams.get('sslmode') ?? searchParams.get('ssl') ?? context.env.PGSSLMODE ?? 'disable';
    if (mode === 'no-verify') {
      return warning(
        "TLS, and nobody checks the server's certificate: who stands between can read and change all",
        'set sslmode=verify-full, with sslrootcert=... for an authority of your own',
      );
    }
    if (!['disable', 'allow', 'false', '0'].includes(mode)) return ok(`TLS (${mode})`);
    const host = searchParams.get('host') ?? hostname;
    if (await isLoopback(decodeURIComponent(host))) return ok('no TLS, and on this machine alone');
    return warning(
      'no TLS: statements, with the data of debtors, can be read on the way',
      'add ?sslmode=verify-full to TETHER_DATABASE_URL, or be sure that the network is yours alone',
    );
  },
};

const pool: Check = {
  id: 'postgres-pool',
  title: 'Transactions and parameters work, also behind pgBouncer',
  run: (context) =>
    onPostgres(context, async (pool, url) => {
      const bouncer = await bouncerAt(url, context);
      const mode = bouncer.kind === 'open' ? bouncer.mode : 'unknown';
      const found =
        bouncer.kind === 'none'
          ? 'no pgBouncer is seen; '
          : bouncer.kind === 'closed'
            ? 'pgBouncer, whose settings this user may not see; '
            : `${bouncer.version}: pool_mode ${mode}, ${bouncer.poolSize} connections; `;
      const advice = 'set pool_mode = transaction in pgbouncer.ini, and RELOAD';
      try {
        // As a worker does it; a parameter makes a prepared statement without a name.
        await inTransaction(pool, (transaction) => transaction.query('SELECT $1::int AS one', [1]));
      } catch (error) {
        if (bouncer.kind === 'none') throw error;
        const reason = error instanceof Error ? error.message : String(error);
        return failed(`${found}a transaction is not possible: ${reason}`, advice);
      }
      // Each connection of a node would hold one of the server, whether or not it does something.
      if (mode === 'session')
        return warning(`${found}it lends a connection for as long as a node keeps its own`, advice);
      return ok(`${found}a transaction with a parameter works`);
    }),
};

const schema: Check = {
  id: 'postgres-schema',
  title: 'The tables are those of this release',
  run: (context) =>
    onPostgres(context, async (pool) => {
      try {
        const { pending, version } = await readSchemaState(pool);
        if (pending === 0) return ok(`all ${version} migrations are applied`);
        return warning(
          pending === version
            ? 'there are no tables yet'
            : `${pending} of ${version} migrations are not applied`,
          'tether migrate, or leave it to the first start',
        );
      } catch (error) {
        if (error instanceof SchemaNewerError) {
          return failed(error.message, 'run the release that applied it, or a later one');
        }
        if (error instanceof MigrationChangedError) {
          return failed(
            error.message,
            'another program, or another Tether, has this database: give Tether its own',
          );
        }
        if (error instanceof PostgresQueryError && error.sqlstate === '42501') {
          return failed('this user may not read tether_migrations', 'see postgres-rights');
        }
        throw error;
      }
    }),
};

const rights: Check = {
  id: 'postgres-rights',
  title: 'The user of the database may do what a node does, and not more',
  run: (context) =>
    onPostgres(context, async (pool) => {
      // What is wrong with the schema itself is told by its own check.
      const state = await readSchemaState(pool).catch(() => undefined);
      const { rows } = await pool.query<{
        user: string;
        schema: string | null;
        create: boolean;
        super: boolean;
      }>(
        `SELECT current_user AS user, current_schema() AS schema,
                coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS create,
                coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = current_user), false) AS super`,
      );
      const [me] = rows;
      if (me === undefined || me.schema === null) {
        return failed(
          'the search_path names no schema that is there',
          'make it, or set the search_path of the user',
        );
      }
      const missing = await pool.query<{ name: string }>(
        `SELECT name FROM unnest($1::text[]) AS name
          WHERE to_regclass(name) IS NOT NULL AND EXISTS (
            SELECT FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS action
             WHERE NOT has_table_privilege(to_regclass(name), action))`,
        [schemaTables()],
      );
      const grant = `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${me.schema} TO ${me.user}`;
      if (missing.rows.length > 0) {
        return failed(
          `${me.user} may not use ${missing.rows.map(({ name }) => name).join(', ')} as a node does`,
          grant,
        );
      }
      if (!me.create) {
        const found = `${me.user} may not make tables in schema ${me.schema}`;
        const advice = `GRANT CREATE ON SCHEMA ${me.schema} TO ${me.user}, or let another user run tether migrate before each new release`;
        return state?.pending === 0 ? warning(`${found}: it needs none now`, advice) : failed(found, advice);
      }
      if (me.super) {
        return warning(
          `${me.user} is a superuser: a hole in the node is one in the whole server`,
          'CREATE ROLE tether LOGIN PASSWORD ..., and make it the owner of a database of its own',
        );
      }
      return ok(`${me.user} may use and make tables in schema ${me.schema}`);
    }),
};

const durability: Check = {
  id: 'postgres-durability',
  title: 'Postgres takes writes, and keeps what is committed',
  run: (context) =>
    onPostgres(context, async (pool) => {
      const { rows } = await pool.query<{
        fsync: string;
        commit: string;
        pages: string;
        standby: boolean;
        only: string;
      }>(
        `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
                current_setting('full_page_writes') AS pages, pg_is_in_recovery() AS standby,
                current_setting('transaction_read_only') AS only`,
      );
      const [set] = rows;
      if (set === undefined) return skipped('the server tells nothing');
      const found = `fsync ${set.fsync}, synchronous_commit ${set.commit}, full_page_writes ${set.pages}`;
      if (set.standby || set.only === 'on') {
        return failed(
          set.standby ? 'this is a standby, which takes no writes' : 'default_transaction_read_only is on',
          'let TETHER_DATABASE_URL name the primary (target_session_attrs is not known here)',
        );
      }
      if (set.fsync === 'off' || set.commit === 'off') {
        return failed(
          `${found}: a crash of its machine loses effects of messages that count as done`,
          'set fsync = on and synchronous_commit = on, for the server and for this user',
        );
      }
      if (set.pages === 'off')
        return warning(`${found}: a crash can tear a page`, 'set full_page_writes = on');
      return ok(found);
    }),
};

const postgresChecks: readonly Check[] = [reach, auth, bind, encrypted, pool, schema, rights, durability];

export { postgresChecks };
