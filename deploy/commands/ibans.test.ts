/** `tether ibans`, as its users run it, on a database beside it. */
import t from 'tap';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { spawnCli } from '../test/spawn-cli.js';
import { type IbanReport, ibanStatus, sealIbans, unsealIbans } from './ibans-run.js';

// Each spawned case is a process of its own, which takes a while on a busy machine.
t.setTimeout(120_000);

const IBAN = 'DE02120300000000202051';
const key = (id: string, byte: number) =>
  `${id}:${Buffer.from(Array.from({ length: 32 }, (_, n) => byte * n)).toString('base64')}`;
const [A, B] = [key('2026', 3), key('2027', 5)];

t.test('from plain text to a key, to another one, and back', async (t) => {
  const { url, pool } = await startTestPostgres(t);
  await pool.query(`INSERT INTO debtors (owner, iban) VALUES ('acme', $1)`, [IBAN]);
  await pool.query(
    `INSERT INTO blacklist (reason_code, iban, bic) VALUES ('x', $1, NULL), ('x', NULL, 'MADEDEFF')`,
    [IBAN],
  );
  const env = (keys?: string) => ({
    TETHER_DATABASE_URL: url,
    ...(keys === undefined ? {} : { TETHER_IBAN_KEYS: keys }),
  });
  const lines: string[] = [];
  const output = { isTTY: true, write: (line: string) => lines.push(line) > 0 };
  const run = async (command: typeof sealIbans | typeof ibanStatus, keys?: string, json?: true) => {
    const flags = json === undefined ? {} : { json };
    const report: IbanReport = await command(flags, env(keys), output as never);
    t.notMatch(report.text, IBAN);
    for (const text of [A, B]) t.notOk(report.text.includes(text.slice(5)), 'no key');
    return report;
  };

  t.match(await run(ibanStatus), { exitCode: 0, text: /debtors +\(plain\) +1 +no key is set/ });
  t.match(await run(ibanStatus, A), { exitCode: 1, text: /debtors +\(plain\) +1 +to be sealed/ });
  t.match(await run(sealIbans, A), { exitCode: 0, text: 'blacklist: 1 changed\ndebtors: 1 changed\n' });
  t.match(lines, ['tether: blacklist: 100 %\n', 'tether: debtors: 100 %\n']);
  t.match(await run(ibanStatus, A), {
    exitCode: 0,
    text: /blacklist +\(none\) +1 +no IBAN\n.*2026 +1 +current/,
  });
  t.match(await run(ibanStatus, `${B},${A}`), { exitCode: 1, text: /2026 +1 +older: tether ibans seal/ });
  for (const keys of [undefined, B])
    t.match(await run(ibanStatus, keys), { exitCode: 1, text: /2026 +1 +UNKNOWN/ });
  t.match(await run(sealIbans, B), { exitCode: 1, text: /1 are sealed with 2026, which .* does not have/ });
  t.match(await run(sealIbans, `${B},${A}`), { exitCode: 0 });
  const { text } = await run(ibanStatus, B, true);
  t.match(JSON.parse(text), {
    current: '2027',
    rows: [{}, { table: 'blacklist', form: 'sealed', key: '2027', rows: 1 }, {}],
  });

  // Two that cannot be done, and the form for programs.
  await pool.query(`INSERT INTO debtors (owner, iban) VALUES ('acme', $1)`, [IBAN]);
  await pool.query(
    'UPDATE blacklist SET iban_sealed = set_byte(iban_sealed, 30, 255 - get_byte(iban_sealed, 30))',
  );
  t.match(await run(sealIbans, B), {
    exitCode: 1,
    text: /an IBAN that another row has already: .*\(ids 2\)/,
  });
  const failed = await run(sealIbans, `${A},${B}`, true);
  t.match(JSON.parse(failed.text), [
    { table: 'blacklist', broken: { count: 1, ids: ['1'] }, unknown: {} },
    { table: 'debtors', twice: { count: 1 } },
  ]);
  await pool.query('DELETE FROM debtors WHERE id = 2');
  t.match(await run(unsealIbans, `${A},${B}`), { exitCode: 1, text: /do not open.*\ndebtors: 1 changed/ });
  t.match((await pool.query('SELECT iban FROM debtors')).rows, [{ iban: IBAN }]);

  t.match(
    (await pool.query('SELECT action, target, after FROM audit ORDER BY id')).rows.map(
      ({ action, target, after }) => [`${action} ${target}`, after],
    ),
    [
      ['ibans.seal blacklist', { rows: 1, key: '2026' }],
      ['ibans.seal debtors', { rows: 1, key: '2026' }],
      ['ibans.seal blacklist', { rows: 1, key: '2027' }],
      ['ibans.seal debtors', { rows: 1, key: '2027' }],
      ['ibans.seal debtors', { rows: 1, key: '2026' }],
      ['ibans.unseal debtors', { rows: 1, key: null }],
    ],
  );

  await pool.query('CREATE DATABASE empty');
  const empty = url.replace(/\/[^/]*$/, '/empty');
  await t.rejects(ibanStatus({}, { TETHER_DATABASE_URL: empty }), {
    code: 'TETHER_CONFIG_REFUSED',
    problems: [/run `tether migrate` before/],
  });
  await t.rejects(run(sealIbans), {
    code: 'TETHER_CONFIG_REFUSED',
    problems: [/TETHER_IBAN_KEYS is not set/],
  });
});

t.test('the command line: exit codes, and no key in what is said', async (t) => {
  const refused = await spawnCli(['ibans', 'seal'], { TETHER_IBAN_KEYS: `${A}x` });
  t.match(refused, {
    code: 78,
    stdout: '',
    stderr: /TETHER_IBAN_KEYS has a value that is refused: allowed is up to 8 keys/,
  });
  t.notOk(refused.stderr.includes(A.slice(5)));
  const away = await spawnCli(['ibans', 'status'], {
    TETHER_IBAN_KEYS: A,
    TETHER_DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/tether',
  });
  t.match(away, { code: 1, stderr: /TETHER_POSTGRES_UNAVAILABLE/ });
  t.notOk(away.stderr.includes(A.slice(5)));
});
