import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../../runtime/testing/seed.js';
import { compileColumns } from './columns.js';
import type { Debtor } from './debtor.js';
import { EXTRA_CHARS_MAX, FIELDS, type Field } from './fields.js';
import { SEPA_COUNTRIES } from './iban-formats.js';
import { readDebtor } from './read-debtor.js';
import { INVALID_REASONS } from './reasons.js';
import { makeIban } from './test/make-iban.js';

const NOW = new Date('2026-11-25T00:00:00Z');
const IBAN = makeIban('DE', 42);
const BASE = { iban: IBAN, amount: '12.50', name: 'Ana Berg' };

/** A row by its headers. */
function verdict(cells: Readonly<Record<string, string>>) {
  return readDebtor(compileColumns(Object.keys(cells), NOW), Object.values(cells));
}

function debtor(cells: Readonly<Record<string, string>> = {}): Debtor {
  const read = verdict({ ...BASE, ...cells });
  if (read.outcome === 'valid') return read.debtor;
  throw new Error(JSON.stringify(read.reasons));
}

/** `code column value` of each. */
function reasons(cells: Readonly<Record<string, string>>): readonly string[] {
  const read = verdict({ ...BASE, ...cells });
  return read.outcome === 'invalid'
    ? read.reasons.map(({ code, column, value }) => `${code} ${column} ${value}`)
    : [];
}

t.test('a whole row', async (t) => {
  const cells = {
    'Bank Account': ' gi75 nwbk 0000 0000 7099 453',
    Total: '€ 1.234,56',
    Surname: 'García López',
    'First name': 'Zoë',
    Mail: 'Zoe@Example.COM',
    Phone: ' +34 600 000 000 ',
    Address: 'Calle Mayor',
    'House number': '3',
    'Address line 2': '2º izq',
    ZIP: '28001',
    City: 'Madrid',
    Country: 'es',
    Currency: 'eur',
    DNI: '12345678Z',
    DOB: '31/12/1980',
    SWIFT: 'nwbkgigi',
    'Order ID': 'A-1',
    Note: ' two\nlines ',
    Empty: '  ',
  };
  t.strictSame(verdict(cells), {
    outcome: 'valid',
    debtor: {
      iban: 'GI75NWBK000000007099453',
      bic: 'NWBKGIGI',
      firstName: 'Zoe',
      lastName: 'Garcia Lopez',
      amount: 123_456,
      currency: 'EUR',
      email: 'zoe@example.com',
      phone: '+34 600 000 000',
      street: 'Calle Mayor 3, 2º izq',
      postcode: '28001',
      city: 'Madrid',
      country: 'ES',
      nationalId: '12345678Z',
      birthDate: '1980-12-31',
      externalReference: 'A-1',
      extra: Object.assign(Object.create(null), { Note: 'two lines' }),
    },
  });
});

t.test('what is not there is undefined, but for country and currency', async (t) => {
  const found = debtor();
  t.match(found, { country: 'DE', currency: 'EUR', amount: 1_250, firstName: 'Ana', lastName: 'Berg' });
  for (const field of [
    'bic',
    'email',
    'phone',
    'street',
    'postcode',
    'city',
    'nationalId',
    'birthDate',
    'extra',
  ] as const) {
    t.ok(field in found);
    t.equal(found[field], undefined, field);
  }
  const header = [
    'iban',
    'amount',
    'name',
    'email',
    'phone',
    'street',
    'country',
    'currency',
    'dob',
    'bic',
    'note',
  ];
  for (const empty of ['', ' ', '\u00a0\0\u200b\n']) {
    const cells = [...Object.values(BASE), ...header.slice(3).map(() => empty)];
    t.strictSame(readDebtor(compileColumns(header, NOW), cells), { outcome: 'valid', debtor: found });
  }
  t.strictSame(readDebtor(compileColumns(header, NOW), Object.values(BASE)), {
    outcome: 'valid',
    debtor: found,
  });
});

t.test('the parts of an address', async (t) => {
  t.equal(debtor({ street: 'Main', house_number: '3' }).street, 'Main 3');
  t.equal(debtor({ street: '', house_number: '3' }).street, '3');
  t.equal(debtor({ street: 'Main', address_line_2: 'Flat 1' }).street, 'Main, Flat 1');
  t.equal(debtor({ street: ' ', address_line_2: 'Flat 1' }).street, 'Flat 1');
  t.equal(debtor({ street: '', house_number: ' ', address_line_2: '' }).street, undefined);
});

t.test('the currency of the column, of the sign at the amount, or EUR', async (t) => {
  t.equal(debtor({ amount: '$5' }).currency, 'USD');
  t.equal(debtor({ amount: '5 £' }).currency, 'GBP');
  t.equal(debtor({ amount: '5 £', currency: '' }).currency, 'GBP');
  t.equal(debtor({ amount: '5', currency: 'chf' }).currency, 'CHF');
  t.equal(debtor({ amount: '€5', currency: 'EUR' }).currency, 'EUR');
  t.strictSame(reasons({ amount: '$5', currency: 'EUR' }), ['currency-mismatch currency EUR']);
});

/** For each code rows that have it, and nothing else that is wrong. */
const EACH: Readonly<Record<string, readonly (readonly [Readonly<Record<string, string>>, string])[]>> = {
  'cell-too-long': [
    [{ note: 'x'.repeat(EXTRA_CHARS_MAX + 1) }, 'note x…'],
    [{ iban: `${IBAN}${' '.repeat(64)}` }, `iban ${IBAN.slice(0, 4)}…${IBAN.slice(-4)}`],
    [{ amount: `${'0'.repeat(64)}5` }, 'amount 0…'],
    [{ name: `Ana ${' '.repeat(200)}` }, 'name A…'],
    [{ email: `${'x'.repeat(64 * 1024)}@example.com` }, 'email x…'],
  ],
  'iban-missing': [
    [{ iban: '' }, 'iban '],
    [{ iban: ' \0' }, 'iban '],
  ],
  'iban-malformed': [[{ iban: 'none' }, 'iban no…']],
  'iban-country-not-sepa': [[{ iban: 'TR330006100519786457841326' }, 'iban TR33…1326']],
  'iban-length': [[{ iban: `${IBAN}0` }, `iban ${IBAN.slice(0, 4)}…${IBAN.slice(-3)}0`]],
  'iban-check-digits': [[{ iban: 'DE88370400440532013000' }, 'iban DE88…3000']],
  'amount-missing': [[{ amount: '' }, 'amount ']],
  'amount-malformed': [[{ amount: 'free' }, 'amount f…']],
  'amount-negative': [[{ amount: '-5' }, 'amount -5']],
  'amount-ambiguous': [[{ amount: '1.234' }, 'amount 1.234']],
  'amount-decimals': [[{ amount: '12.3456' }, 'amount 12.3456']],
  'amount-too-small': [[{ amount: '0.09' }, 'amount 0.09']],
  'amount-too-large': [[{ amount: '50000.01' }, 'amount 50000.01']],
  'name-missing': [[{ name: ' ' }, 'name ']],
  'name-incomplete': [[{ name: 'Ana' }, 'name A…']],
  'name-characters': [[{ name: 'Ana =1+1' }, 'name A…']],
  'name-no-letters': [[{ name: 'Ana 1' }, 'name A…']],
  'name-too-long': [[{ name: `Ana ${'x'.repeat(36)}` }, 'name A…']],
  'email-malformed': [[{ email: 'ana@' }, 'email a…@']],
  'country-malformed': [[{ country: 'Germany' }, 'country G…']],
  'currency-malformed': [[{ currency: 'Euro' }, 'currency E…']],
  'currency-unsupported': [[{ currency: 'ISK' }, 'currency ISK']],
  'currency-mismatch': [[{ amount: '£5', currency: 'usd' }, 'currency usd']],
  'date-malformed': [[{ dob: 'May 1980' }, 'dob aaa ####']],
  'date-not-real': [[{ dob: '30/02/1980' }, 'dob ##/##/####']],
  'date-implausible': [[{ dob: '2026-11-26' }, 'dob ####-##-##']],
  'bic-malformed': [[{ bic: 'DEUTDEF' }, 'bic D…']],
};

t.test('each reason, with the header of the file and the value masked', async (t) => {
  for (const [code, rows] of Object.entries(EACH)) {
    for (const [cells, rest] of rows) t.strictSame(reasons(cells), [`${code} ${rest}`]);
  }
  t.strictSame(reasons({ iban: '', Email: 'x' }), ['iban-missing iban ', 'email-malformed Email x…']);
  const columns = compileColumns(Object.keys(BASE), NOW);
  t.strictSame(readDebtor(columns, [...Object.values(BASE), '', ' ', 'x']), {
    outcome: 'invalid',
    reasons: [{ code: 'too-many-cells', column: '', value: '6 for 3 columns' }],
  });
  t.equal(readDebtor(columns, [...Object.values(BASE), '', ' ']).outcome, 'valid', 'a delimiter at the end');
  t.strictSame(['too-many-cells', ...Object.keys(EACH)], Object.keys(INVALID_REASONS));
});

t.test('a whole name is split where a reader sees its first space', async (t) => {
  for (const space of ['\u00a0', '\t', '\n', '\u200b \u200b', '  ']) {
    t.match(debtor({ name: `Ana${space}Maria Berg` }), { firstName: 'Ana', lastName: 'Maria Berg' });
    t.match(debtor({ name: `\u202aAna${space}Maria Berg ` }), { firstName: 'Ana', lastName: 'Maria Berg' });
    t.match(debtor({ name: `Berg,${space}Ana María` }), { firstName: 'Ana Maria', lastName: 'Berg' });
  }
});

t.test('first and last name of two columns', async (t) => {
  const two = (first: string, last: string) => {
    const read = verdict({ iban: IBAN, amount: '5', vorname: '', 'First Name': first, Surname: last });
    return read.outcome === 'valid'
      ? `${read.debtor.firstName}|${read.debtor.lastName}`
      : read.reasons.map(({ code, column, value }) => `${code} ${column} ${value}`);
  };
  t.equal(two(' Ana\tMaria ', 'de la Cruz, Jr'), 'Ana Maria|de la Cruz, Jr');
  t.strictSame(two('', ' '), ['name-missing First Name ']);
  t.strictSame(two('Ana', '\0'), ['name-incomplete Surname ']);
  t.strictSame(two('', 'Berg'), ['name-incomplete First Name ']);
  t.strictSame(two('', '王'), ['name-characters Surname 王…', 'name-incomplete First Name ']);
  t.strictSame(two('1', 'x'.repeat(36)), ['name-no-letters First Name 1…', 'name-too-long Surname x…']);
  t.strictSame(two('x'.repeat(101), ''), ['cell-too-long First Name x…', 'name-incomplete Surname ']);
});

t.test('every reason of a row is told, each value once', async (t) => {
  const cells = {
    iban: 'x',
    amount: '',
    name: 'y',
    email: 'z',
    country: 'zz1',
    currency: 'q',
    dob: 'w',
    bic: 'v',
  };
  t.strictSame(
    reasons({ ...cells, note: 'x'.repeat(5_000), phone: '1'.repeat(65) })
      .map((text) => text.split(' ')[0])
      .sort(),
    [
      'amount-missing',
      'bic-malformed',
      'cell-too-long',
      'cell-too-long',
      'country-malformed',
      'currency-malformed',
      'date-malformed',
      'email-malformed',
      'iban-malformed',
      'name-incomplete',
    ],
  );
});

t.test('cells have a bound, to the character', async (t) => {
  const columns = compileColumns(['iban', 'amount', 'first_name', 'last_name', ...optional(), 'note'], NOW);
  const cells = [IBAN, '5', 'Ana', 'Berg', ...optional().map(() => ''), ''];
  for (const [field, { charsMax }] of Object.entries(FIELDS)) {
    const at = columns.at[field as Field];
    if (at < 0) continue;
    const blanks = cells.with(at, `${cells[at]}${' '.repeat(charsMax - (cells[at]?.length ?? 0))}`);
    t.equal(readDebtor(columns, blanks).outcome, 'valid', field);
    t.match(
      readDebtor(columns, cells.with(at, `${blanks[at]} `)),
      { reasons: [{ code: 'cell-too-long' }] },
      field,
    );
  }
  t.equal(readDebtor(columns, cells.with(-1, 'x'.repeat(EXTRA_CHARS_MAX))).outcome, 'valid');
});
const optional = () =>
  Object.entries(FIELDS)
    .filter(([field]) => !['iban', 'amount', 'name', 'firstName', 'lastName'].includes(field))
    .map(([, { aliases }]) => aliases[0] ?? '');

t.test('hostile headers stay data', async (t) => {
  const header = ['iban', 'amount', 'name', '__proto__', 'constructor', 'toString', '=cmd'];
  const read = readDebtor(compileColumns(header, NOW), [
    IBAN,
    '5',
    'Ana Berg',
    'polluted',
    'c',
    't',
    "=cmd|' /C calc'!A0",
  ]);
  if (read.outcome !== 'valid') throw new Error('invalid');
  t.equal(Object.getPrototypeOf(read.debtor.extra), null);
  t.equal(
    JSON.stringify(read.debtor.extra),
    '{"__proto__":"polluted","constructor":"c","toString":"t","=cmd":"=cmd|\' /C calc\'!A0"}',
  );
  t.equal(Object.keys({}).length, 0);
  t.equal(({} as { readonly polluted?: string }).polluted, undefined);
});

t.test(
  'whatever a row holds: no throw, nothing that Postgres refuses, nothing in the reasons but masks',
  async (t) => {
    const header = [...Object.keys(BASE), ...optional(), 'note', '__proto__'];
    const columns = compileColumns(header, NOW);
    const sound = fc.constantFrom(...SEPA_COUNTRIES).map((country) => makeIban(country, 7));
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.array(fc.nat({ max: 0xffff }), { maxLength: 30 }).map((codes) => String.fromCharCode(...codes)),
      fc.constantFrom(
        '',
        ' ',
        '\0',
        '\ud800',
        '\u202eAna',
        '=1+1',
        'x'.repeat(65_536),
        '12.50',
        'DE',
        'a@b.cd',
        '1980-01-01',
      ),
    );
    let valid = 0;
    fc.assert(
      fc.property(
        sound,
        fc.boolean(),
        fc.array(hostile, { minLength: header.length, maxLength: header.length + 1 }),
        (iban, good, cells) => {
          // Mostly hostile rows are refused whole; half of them have enough that is sound to let the rest through.
          const row = good
            ? [iban, '5', 'Ana Berg', ...cells.slice(3, header.length).map((cell) => cell.slice(0, 30))]
            : cells;
          if (good)
            for (const field of ['email', 'country', 'currency', 'birthDate', 'bic'] as const)
              row[columns.at[field]] = '';
          const read = readDebtor(columns, row);
          const text = JSON.stringify(read, (_, value) => (value === null ? undefined : value));
          // JSON writes a NUL, and half of a pair, as an escape.
          if (/\\u0000|\\ud[89a-f]/i.test(text)) return false;
          if (read.outcome === 'valid') valid++;
          else
            for (const { code, value, column } of read.reasons)
              if (
                !(code in INVALID_REASONS) ||
                value.length > 40 ||
                (column !== '' && !header.includes(column))
              )
                return false;
          return true;
        },
      ),
      { seed: testSeed(t), numRuns: 2_000 },
    );
    t.ok(valid > 200, `${valid} were valid`);
  },
);

t.test('the reference names every reason, header and limit', async (t) => {
  const [page = ''] = readFileSync('docs/reference/debtor-files.md', 'utf8').split('## Why a row is skipped');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const cellsOf = (line: string) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1);
  const from = rows.findIndex((line) => line.startsWith('| `too-many-cells`'));
  t.strictSame(
    Object.fromEntries(rows.slice(from).map((line) => cellsOf(line.replaceAll('`', '')))),
    INVALID_REASONS,
  );
  for (const { aliases, charsMax } of Object.values(FIELDS)) {
    const [own = ''] = aliases;
    const row = rows.map(cellsOf).find(([name]) => name === `\`${own}\``);
    t.strictSame(
      [...(row?.[1] ?? '').matchAll(/`(\w+)`/g)].map(([, alias]) => alias),
      aliases.slice(1),
      own,
    );
    t.equal(Number(row?.[2]), charsMax, own);
  }
  t.ok(page.includes(SEPA_COUNTRIES.join(' ')));
});
