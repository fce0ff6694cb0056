/** Whether IBANs are encrypted at rest, all of them, with keys that this node has. */
import { formsSql, IbanKeys, PLAIN } from '../../actors/ibans/index.js';
import { type Queryable, readSchemaState } from '../../storage/postgres/index.js';
import { type Check, failed, ok, skipped, warning } from './check.js';
import { isLoopback } from './loopback.js';
import { onPostgres } from './postgres-probe.js';

const HOW = 'docs/how-to/encrypt-ibans.md';
/** The migration that makes the columns. */
const SCHEMA_VERSION = 14;

const encryption: Check = {
  id: 'iban-encryption',
  title: 'IBANs are encrypted at rest',
  async run(context) {
    const { settings, refused, mode } = context;
    if (refused.has('TETHER_IBAN_KEYS')) return skipped('TETHER_IBAN_KEYS is refused');
    const keys = settings.ibanKeys === undefined ? undefined : IbanKeys.parse(settings.ibanKeys);
    if (keys === undefined && settings.role === 'gateway' && settings.databaseUrl !== undefined) {
      return onPostgres(context, async (pool) =>
        (await formsOf(pool))?.has(PLAIN) === true
          ? failed('IBANs are stored in plain text', `give all workers a key, and seal what is there: ${HOW}`)
          : skipped(
              'a gateway writes none, and none is in plain text; whether workers have a key, theirs says',
            ),
      );
    }
    if (keys === undefined) {
      const found = 'TETHER_IBAN_KEYS is not set: IBANs are stored in plain text';
      const advice = `give all nodes a key, and seal what is there: ${HOW}`;
      return mode === 'up' && (await isLoopback(settings.host))
        ? warning(`${found}; for trying out, on this machine alone`, advice)
        : failed(found, advice);
    }
    const has = `${keys.current.id} encrypts${keys.all.length > 1 ? `, ${keys.all.length - 1} more decrypt` : ''}`;
    if (settings.databaseUrl === undefined) return ok(has);
    return onPostgres(context, async (pool) => {
      const forms = await formsOf(pool);
      if (forms === undefined) return ok(`${has}; there are no tables for it yet`);
      const unknown = [...forms].filter((form) => form !== PLAIN && keys.byTag(form) === undefined);
      if (unknown.length > 0) {
        return failed(
          `${has}; rows are sealed with a key that is not there (tag ${unknown.join(', ')}): uploads and chargebacks wait on this node`,
          `tether ibans status says which; add it to TETHER_IBAN_KEYS: ${HOW}`,
        );
      }
      if (forms.has(PLAIN)) return warning(`${has}; some rows are in plain text`, 'tether ibans seal');
      const older = [...forms].filter((form) => form !== keys.current.tag).length;
      if (older > 0) return warning(`${has}; some rows are sealed with an older one`, 'tether ibans seal');
      return ok(`${has}; no row is in plain text`);
    });
  },
};

/** Undefined: the tables are of a release before, or not there. */
async function formsOf(pool: Queryable): Promise<ReadonlySet<string> | undefined> {
  const state = await readSchemaState(pool).catch(() => undefined);
  if (state === undefined || state.version - state.pending < SCHEMA_VERSION) return undefined;
  const { rows } = await pool.query<{ forms: readonly string[] }>(
    `SELECT ${formsSql('listed')} || ${formsSql('waiting')} || ${formsSql('attempted')} AS forms`,
  );
  return new Set(rows[0]?.forms);
}

const ibanChecks: readonly Check[] = [encryption];

export { ibanChecks };
