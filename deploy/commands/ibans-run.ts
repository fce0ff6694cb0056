/** What `tether ibans status|seal|unseal` do: straight on the database, since it is the keys of this environment that count. */
import { hostname, userInfo } from 'node:os';
import {
  type Converted,
  convertTable,
  countForms,
  IBAN_TABLES,
  IbanKeys,
  type IbanTable,
  type Told,
} from '../../actors/ibans/index.js';
import { makeDirectory } from '../../storage/make-directory.js';
import { startEmbeddedPostgres } from '../../storage/postgres/embedded.js';
import { AuditTable, createPool, type Pool, readSchemaState } from '../../storage/postgres/index.js';
import { postgresDir } from '../data-dir.js';
import { ConfigError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { createLogger } from '../logger.js';
import { type Environment, parseSettings } from '../settings.js';
import { interruption } from './interruption.js';
import { overridesOf } from './options.js';
import { textTable } from './table.js';

interface IbanFlags {
  readonly dataDir?: string;
  readonly logLevel?: string;
  readonly json?: true;
}

interface IbanReport {
  readonly text: string;
  readonly exitCode: number;
}

type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

interface Work {
  readonly pool: Pool;
  readonly keys: IbanKeys | undefined;
  readonly signal: AbortSignal;
}

/** @throws ConfigError, and what `storage/postgres` throws */
async function ibanStatus(flags: IbanFlags, env: Environment): Promise<IbanReport> {
  return onDatabase(flags, env, async ({ pool, keys, signal }) => {
    const counts = await Promise.all(
      IBAN_TABLES.map(async (table) =>
        (await countForms(pool, table, signal)).map((count) => ({ table, ...count })),
      ),
    );
    const rows = counts.flat();
    const isWanted = ({ form, key }: (typeof rows)[number]) =>
      form === 'none' || (keys === undefined ? form === 'plain' : key === keys.current.id);
    const exitCode = rows.every(isWanted) ? EXIT.ok : EXIT.failed;
    if (flags.json === true) {
      return { text: `${JSON.stringify({ current: keys?.current.id ?? null, rows })}\n`, exitCode };
    }
    const state = ({ form, key }: (typeof rows)[number]) => {
      if (form === 'none') return 'no IBAN';
      if (form === 'plain') return keys === undefined ? 'no key is set' : 'to be sealed: tether ibans seal';
      if (keys?.byId(key) === undefined) return 'UNKNOWN: not in TETHER_IBAN_KEYS';
      return key === keys.current.id ? 'current' : 'older: tether ibans seal';
    };
    const lines = rows.map((row) => [
      row.table,
      row.form === 'sealed' ? row.key : `(${row.form})`,
      `${row.rows}`,
      state(row),
    ]);
    return {
      text: rows.length === 0 ? 'no rows\n' : textTable(['TABLE', 'KEY', 'ROWS', 'STATE'], lines),
      exitCode,
    };
  });
}

/** @throws ConfigError, also when no key is set; and what `storage/postgres` throws */
function sealIbans(flags: IbanFlags, env: Environment, output: Output): Promise<IbanReport> {
  return convert(flags, env, 'sealed', output);
}

/** As `sealIbans`. */
function unsealIbans(flags: IbanFlags, env: Environment, output: Output): Promise<IbanReport> {
  return convert(flags, env, 'plain', output);
}

function convert(
  flags: IbanFlags,
  env: Environment,
  to: 'sealed' | 'plain',
  output: Output,
): Promise<IbanReport> {
  return onDatabase(flags, env, async ({ pool, keys, signal }) => {
    if (keys === undefined)
      throw new ConfigError(['TETHER_IBAN_KEYS is not set: there is no key to work with']);
    const results: Converted[] = [];
    for (const table of IBAN_TABLES) {
      if (signal.aborted) break;
      const onStep = progress(table, output);
      const converted = await convertTable(pool, table, { keys, to, signal, onStep });
      results.push(converted);
      await note(pool, to, keys, converted);
    }
    const isWhole = results.length === IBAN_TABLES.length && results.every((each) => leftOf(each) === 0);
    return {
      text: flags.json === true ? `${JSON.stringify(results.map(jsonOf))}\n` : results.map(textOf).join(''),
      exitCode: isWhole && !signal.aborted ? EXIT.ok : EXIT.failed,
    };
  });
}

/** In the audit log, like any other change of an operator's: that IBANs are in plain text again above all. */
async function note(
  pool: Pool,
  to: 'sealed' | 'plain',
  keys: IbanKeys,
  { table, changed }: Converted,
): Promise<void> {
  if (changed === 0) return;
  await new AuditTable(pool).record({
    at: Date.now(),
    client: `${userInfo().username} at ${hostname()}`,
    action: to === 'sealed' ? 'ibans.seal' : 'ibans.unseal',
    target: table,
    before: null,
    after: { rows: changed, key: to === 'sealed' ? keys.current.id : null },
  });
}

async function onDatabase(
  flags: IbanFlags,
  env: Environment,
  work: (work: Work) => Promise<IbanReport>,
): Promise<IbanReport> {
  const { databaseUrl, dataDir, logLevel, ibanKeys } = parseSettings(env, overridesOf(flags));
  const logger = createLogger({ level: logLevel, secrets: databaseUrl === undefined ? [] : [databaseUrl] });
  if (databaseUrl === undefined) await makeDirectory(dataDir, 0o700);
  const server =
    databaseUrl === undefined
      ? await startEmbeddedPostgres({ dataDir: postgresDir(dataDir), logger })
      : undefined;
  const pool = createPool({
    url: server?.url ?? databaseUrl ?? '',
    connectionsMax: 2,
    applicationName: 'tether ibans',
    logger,
  });
  const interrupt = interruption();
  try {
    const { pending } = await readSchemaState(pool);
    if (pending > 0) {
      throw new ConfigError(['the tables are not yet those of this release: run `tether migrate` before']);
    }
    const keys = ibanKeys === undefined ? undefined : IbanKeys.parse(ibanKeys);
    const report = await work({ pool, keys, signal: interrupt.signal });
    return { ...report, exitCode: interrupt.exitCode() ?? report.exitCode };
  } finally {
    interrupt.release();
    await pool.end();
    await server?.stop();
  }
}

/** A line of its own each tenth; nothing where nobody looks. */
function progress(table: IbanTable, output: Output): (share: number) => void {
  let tenths = 0;
  return (share) => {
    const now = Math.floor(share * 10);
    if (output.isTTY !== true || now === tenths) return;
    tenths = now;
    output.write(`tether: ${table}: ${now * 10} %\n`);
  };
}

function leftOf({ unknown, broken, twice, locked }: Converted): number {
  return [...unknown.values()].reduce((sum, count) => sum + count, 0) + broken.count + twice.count + locked;
}

function textOf({ table, changed, unknown, broken, twice, locked }: Converted): string {
  const ids = ({ ids }: Told) => `ids ${ids.join(', ')}${ids.length === 10 ? ', ...' : ''}`;
  const lines = [`${table}: ${changed} changed`];
  for (const [key, count] of unknown)
    lines.push(`  ${count} are sealed with ${key}, which TETHER_IBAN_KEYS does not have: add it`);
  if (broken.count > 0)
    lines.push(
      `  ${broken.count} do not open: changed, moved, or of another key with this id (${ids(broken)})`,
    );
  if (twice.count > 0)
    lines.push(
      `  ${twice.count} have an IBAN that another row has already: remove one of them (${ids(twice)})`,
    );
  if (locked > 0) lines.push(`  ${locked} were locked by somebody else: run it again`);
  return `${lines.join('\n')}\n`;
}

function jsonOf({ unknown, ...result }: Converted) {
  return { ...result, unknown: Object.fromEntries(unknown) };
}

export { type IbanFlags, type IbanReport, ibanStatus, sealIbans, unsealIbans };
