import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../../runtime/testing/seed.js';
import { currencyAt, readAmount } from './amount.js';
import { Refusal } from './reasons.js';

const read = (text: string) => {
  const amount = readAmount(text);
  return amount instanceof Refusal ? amount.code : amount;
};

t.test('every form', async (t) => {
  const cases: Readonly<Record<string, number | string>> = {
    '1234': 123_400,
    '1234.5': 123_450,
    '1234,5': 123_450,
    '1234.50': 123_450,
    '1.234,56': 123_456,
    '1,234.56': 123_456,
    '1 234,56': 123_456,
    '1 234.56': 123_456,
    '1 234': 123_400,
    "1'234.56": 123_456,
    '1’234,5': 123_450,
    '12.345,6': 1_234_560,
    '.5': 50,
    ',50': 50,
    '00012.50': 1_250,
    '0.10': 10,
    '50000': 5_000_000,
    '50.000,00': 5_000_000,
    '€ 12.50': 1_250,
    '12,50 €': 1_250,
    '€12': 1_200,
    '$1,234.56': 123_456,
    '£ 5': 500,
    '5£': 500,
    // Decimals that say nothing.
    '1234.500': 123_450,
    '0.500': 50,
    '12.50000': 1_250,
    '1234.5600': 123_456,
    // What is left of a computed number.
    '19.989999999999998': 1_999,
    '0.30000000000000004': 30,
    '99.99999999999999': 10_000,
    // One separator and three digits.
    '1.234': 'amount-ambiguous',
    '1,234': 'amount-ambiguous',
    '12.500': 'amount-ambiguous',
    '€1.234': 'amount-ambiguous',
    '100.000 €': 'amount-ambiguous',
    '1234.567': 'amount-decimals',
    '0.123': 'amount-decimals',
    '1.234,567': 'amount-decimals',
    '12.3456': 'amount-decimals',
    '0.101': 'amount-decimals',
    '1.999999': 'amount-decimals',
    '0': 'amount-too-small',
    '0.09': 'amount-too-small',
    '0,00': 'amount-too-small',
    '-0': 'amount-too-small',
    '50000.01': 'amount-too-large',
    '1.234.567': 'amount-too-large',
    '9999999999999999999999': 'amount-too-large',
    '99999999999999999999,99': 'amount-too-large',
    '-5': 'amount-negative',
    '5-': 'amount-negative',
    '−5,00': 'amount-negative',
    '-€5': 'amount-negative',
    '€ -5.00': 'amount-negative',
    '(5.00)': 'amount-negative',
    '-1.234': 'amount-negative',
    '': 'amount-malformed',
    ' ': 'amount-malformed',
    '€': 'amount-malformed',
    '-': 'amount-malformed',
    '.': 'amount-malformed',
    '12.': 'amount-malformed',
    '1..5': 'amount-malformed',
    '1.23.4': 'amount-malformed',
    '1,23,456': 'amount-malformed',
    '1.2345.678': 'amount-malformed',
    '1234.567,89': 'amount-malformed',
    '1,234.567,89': 'amount-malformed',
    '12 34': 'amount-malformed',
    '€€5': 'amount-malformed',
    '$5€': 'amount-malformed',
    '--5': 'amount-malformed',
    '+5': 'amount-malformed',
    '(5': 'amount-malformed',
    '1e3': 'amount-malformed',
    '0x10': 'amount-malformed',
    NaN: 'amount-malformed',
    Infinity: 'amount-malformed',
    '=1+1': 'amount-malformed',
    '５': 'amount-malformed',
    '5\0': 'amount-malformed',
    abc: 'amount-malformed',
  };
  for (const [text, amount] of Object.entries(cases)) t.equal(read(text), amount, JSON.stringify(text));
});

t.test('an amount comes back from each form that it is written in', async (t) => {
  const grouped = (major: string, mark: string) => major.replace(/\B(?=(\d{3})+$)/g, mark);
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 5_000_000 }), (minor) => {
      const major = String(Math.floor(minor / 100));
      const cents = String(minor % 100).padStart(2, '0');
      const forms = [
        `${major}.${cents}`,
        `${major},${cents}`,
        `${grouped(major, '.')},${cents}`,
        `${grouped(major, ',')}.${cents}`,
        `${grouped(major, ' ')},${cents}`,
        `${grouped(major, "'")}.${cents}`,
        `€ ${grouped(major, '.')},${cents}`,
        `${grouped(major, ',')}.${cents}$`,
        `£${major}.${cents}`,
        ...(cents.endsWith('0') ? [`${major}.${cents[0]}`] : []),
        ...(cents === '00' ? [major, grouped(major, ' ')] : []),
        // As a program that computes with doubles writes it, off by its last place.
        String((minor / 100) * (1 + Number.EPSILON)),
      ];
      for (const form of forms) if (read(form) !== minor) throw new Error(`${form}: ${read(form)}`);
    }),
    { seed: testSeed(t), numRuns: 5_000 },
  );
  t.pass();
});

t.test('the longest cell is read in a moment, and nothing makes it throw', async (t) => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[-€$£.,' ()0-9]{0,12}$/)),
      (text) => {
        const amount = readAmount(text);
        return (
          amount instanceof Refusal || (Number.isSafeInteger(amount) && amount >= 10 && amount <= 5_000_000)
        );
      },
    ),
    { seed: testSeed(t), numRuns: 5_000 },
  );
  t.pass();
});

t.test('the currency of the sign', async (t) => {
  const cases = { '5': undefined, '€5': 'EUR', '5 €': 'EUR', '$ 5': 'USD', '-£5': 'GBP', '-5': undefined };
  for (const [text, currency] of Object.entries(cases)) t.equal(currencyAt(text), currency, text);
});
