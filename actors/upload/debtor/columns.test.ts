import t from 'tap';
import { COLUMNS_MAX, compileColumns } from './columns.js';
import { HeaderError } from './errors.js';
import { FIELDS, type Field } from './fields.js';

/** The fields that were found, by column, and the keys of the others. */
function compiled(...header: string[]) {
  const { at, extra } = compileColumns(header);
  const found = Object.entries(at)
    .filter(([, column]) => column >= 0)
    .sort(([, a], [, b]) => a - b)
    .map(([field, column]) => `${column} ${field}`);
  return [...found, ...extra.map(({ at: column, key }) => `${column} = ${key}`)];
}

function refusal(...header: string[]): string {
  try {
    compileColumns(header);
  } catch (error) {
    if (error instanceof HeaderError) return error.message;
    throw error;
  }
  return 'none';
}

t.test('every alias of every field', async (t) => {
  const required: readonly Field[] = ['iban', 'amount', 'name'];
  for (const [field, { aliases }] of Object.entries(FIELDS)) {
    for (const alias of aliases) {
      const others = required.filter((other) => other !== field);
      const header = [alias, ...others];
      if (field === 'firstName') header.push('last_name');
      if (field === 'lastName') header.push('first_name');
      t.equal(compileColumns(header).at[field as Field], 0, alias);
    }
  }
  const all = Object.values(FIELDS).flatMap(({ aliases }) => aliases);
  t.equal(new Set(all).size, all.length, 'no header is of two fields');
  t.strictSame(
    all.filter((alias) => !/^[a-z0-9]+(_[a-z0-9]+)*$/.test(alias)),
    [],
  );
});

t.test('case, accents and punctuation make no difference', async (t) => {
  const header = [
    '\ufeffIBAN Number',
    ' Amóunt: ',
    'Full-Name',
    '__E Mail__',
    'Date  of\nBirth',
    'Ｃｉｔｙ',
    'Prénom',
  ];
  t.strictSame(compiled(...header), [
    '0 iban',
    '1 amount',
    '2 name',
    '3 email',
    '4 birthDate',
    '5 city',
    '6 = Prénom',
  ]);
  t.equal(compileColumns(header).header[0], 'IBAN Number');
  t.equal(compileColumns(header).header[4], 'Date  of Birth');
});

t.test('first and last name go before a whole one', async (t) => {
  t.strictSame(compiled('iban', 'sum', 'name', 'first_name', 'surname'), [
    '0 iban',
    '1 amount',
    '3 firstName',
    '4 lastName',
    '2 = name',
  ]);
  t.strictSame(compiled('iban', 'sum', 'name', 'first_name'), [
    '0 iban',
    '1 amount',
    '2 name',
    '3 = first_name',
  ]);
});

t.test('of two columns for a field that is not required, the better known header counts', async (t) => {
  t.strictSame(compiled('iban', 'amount', 'name', 'customer_id', 'Reference', 'order_id', 'email', 'email'), [
    '0 iban',
    '1 amount',
    '2 name',
    '4 externalReference',
    '6 email',
    '3 = customer_id',
    '5 = order_id',
    '7 = email',
  ]);
});

t.test('unknown columns keep their header, numbered when it is there twice', async (t) => {
  const header = [
    'iban',
    'amount',
    'name',
    'Note',
    'Note',
    'Note 2',
    '',
    '__proto__',
    'constructor',
    '=cmd|calc',
    'x',
  ];
  t.strictSame(compiled(...header).slice(3), [
    '3 = Note',
    '4 = Note 2',
    '5 = Note 2 2',
    '6 = column 7',
    '7 = __proto__',
    '8 = constructor',
    '9 = =cmd|calc',
    '10 = x',
  ]);
  t.strictSame(compiled('iban', 'amount', 'name', ' ', '').length, 3, 'empty ones at the end are none');
  t.equal(compileColumns(['iban', 'amount', 'name', `\0${'x'.repeat(1_000)}`]).extra[0]?.key.length, 99);
});

t.test('what is missing is named with what is known', async (t) => {
  t.equal(
    refusal('city'),
    'the header has no column of the IBAN (known: iban, iban_number, bank_account, account_number); ' +
      'no column of the amount (known: amount, sum, total, price); ' +
      'no column of the name (known: name, full_name, fullname, customer_name, debtor_name, client_name, account_holder; ' +
      'or both of first_name, firstname and last_name, lastname, surname)',
  );
  t.match(refusal('iban', 'amount', 'first_name'), /no column of the name/);
  t.match(refusal('iban', 'amount', 'surname'), /no column of the name/);
  t.match(refusal('amount', 'name'), /^the header has no column of the IBAN \(known: [\w, ]+\)$/);
  t.match(refusal(), /no column of the IBAN/);
});

t.test('a required column that is there twice is an error', async (t) => {
  t.match(refusal('iban', 'IBAN ', 'amount', 'name'), /^the header has more than one column of the IBAN /);
  t.match(refusal('iban', 'bank_account', 'amount', 'name'), /more than one column of the IBAN/);
  t.match(refusal('iban', 'amount', 'total', 'name'), /more than one column of the amount/);
  t.match(refusal('iban', 'amount', 'name', 'account_holder'), /more than one column of the name/);
  t.match(
    refusal('iban', 'amount', 'surname', 'last_name', 'first_name'),
    /more than one column of the last name/,
  );
  t.equal(refusal('iban', 'amount', 'first_name', 'last_name', 'name', 'full_name'), 'none');
});

t.test('the error says nothing of what the file holds', async (t) => {
  const error = t.throws(() => compileColumns(['DE89370400440532013000', 'Ana Berg', '12.50']), HeaderError);
  t.match(error, { code: 'TETHER_UPLOAD_HEADER', retryable: false });
  t.notMatch(refusal('DE89370400440532013000', 'Ana Berg', '12.50'), /DE89|Ana|12/);
});

t.test('columns have a bound', async (t) => {
  const header = ['iban', 'amount', 'name', ...Array.from({ length: COLUMNS_MAX - 3 }, (_, i) => `c${i}`)];
  t.equal(compileColumns(header).extra.length, COLUMNS_MAX - 3);
  t.match(refusal(...header, 'x'), /more than 500 columns/);
  t.equal(refusal(...header, '', ''), 'none');
  const same = ['iban', 'amount', 'name', ...Array.from({ length: COLUMNS_MAX - 3 }, () => 'same')];
  t.equal(new Set(compileColumns(same).extra.map(({ key }) => key)).size, COLUMNS_MAX - 3);
});

t.test('plain data, for another thread', async (t) => {
  const columns = compileColumns(['iban', 'amount', 'name', '__proto__'], new Date('2026-11-25T12:00:00Z'));
  t.strictSame(structuredClone(columns), columns);
  t.strictSame(JSON.parse(JSON.stringify(columns)), columns);
  t.equal(columns.today, '2026-11-25');
});
