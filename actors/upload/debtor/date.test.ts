import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../../runtime/testing/seed.js';
import { readBirthDate } from './date.js';
import { Refusal } from './reasons.js';

const TODAY = '2026-11-25';
const read = (text: string) => {
  const date = readBirthDate(text, TODAY);
  return date instanceof Refusal ? date.code : date;
};

t.test('every form', async (t) => {
  const cases: Readonly<Record<string, string>> = {
    '1980-12-31': '1980-12-31',
    '1980-1-2': '1980-01-02',
    '1980-12-31T00:00:00.000Z': '1980-12-31',
    '1980-12-31 00:00:00': '1980-12-31',
    '31/12/1980': '1980-12-31',
    '1/2/1980': '1980-02-01',
    '31.12.1980': '1980-12-31',
    '31-12-1980': '1980-12-31',
    '31/12/1980 00:00': '1980-12-31',
    '29586': '1980-12-31',
    '29586.5': '1980-12-31',
    '1': '1900-01-01',
    '59': '1900-02-28',
    '61': '1900-03-01',
    '1900-01-01': '1900-01-01',
    [TODAY]: TODAY,
    '2000-02-29': '2000-02-29',
    '60': 'date-not-real',
    '0': 'date-not-real',
    '1900-02-29': 'date-not-real',
    '2023-02-29': 'date-not-real',
    '31/04/1980': 'date-not-real',
    '12/31/1980': 'date-not-real',
    '1980-13-01': 'date-not-real',
    '1980-00-10': 'date-not-real',
    '1980-01-00': 'date-not-real',
    '0000-01-01': 'date-not-real',
    '1899-12-31': 'date-implausible',
    '2026-11-26': 'date-implausible',
    '01/01/2099': 'date-implausible',
    '999999': 'date-implausible',
    // A year.
    '1980': 'date-malformed',
    '19801231': 'date-malformed',
    '31/12/80': 'date-malformed',
    '31/12.1980': 'date-malformed',
    '31 12 1980': 'date-malformed',
    '1980/12/31': 'date-malformed',
    '1980-12-31x': 'date-malformed',
    '-5': 'date-malformed',
    '1980-1a-31': 'date-malformed',
    'abcd-ef-gh': 'date-malformed',
    '-980-12-31': 'date-malformed',
    yesterday: 'date-malformed',
    '١٩٨٠-١٢-٣١': 'date-malformed',
    '1980-12-31\0': 'date-malformed',
  };
  for (const [text, date] of Object.entries(cases)) t.equal(read(text), date, JSON.stringify(text));
});

t.test('every day comes back from each form that it is written in', async (t) => {
  const today = Date.parse(TODAY);
  const beginning = Date.UTC(1899, 11, 30);
  const two = (n: number) => String(n).padStart(2, '0');
  let wrong = 0;
  for (let time = Date.UTC(1900, 2, 1); time <= today; time += 86_400_000) {
    const date = new Date(time);
    const [day, month, year] = [date.getUTCDate(), date.getUTCMonth() + 1, date.getUTCFullYear()];
    const serial = (time - beginning) / 86_400_000;
    const iso = `${year}-${two(month)}-${two(day)}`;
    const forms = [
      iso,
      `${two(day)}/${two(month)}/${year}`,
      `${day}.${month}.${year}`,
      `${two(day)}-${two(month)}-${year}`,
    ];
    if (serial < 1900 || serial > 2100) forms.push(String(serial));
    for (const form of forms) if (read(form) !== iso) wrong++;
  }
  t.equal(wrong, 0);
});

t.test('a day is real when the calendar has it', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1900, max: 2026 }),
      fc.nat({ max: 13 }),
      fc.nat({ max: 32 }),
      (year, month, day) => {
        const date = new Date(Date.UTC(year, month - 1, day));
        const real = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
        const text = `${String(day).padStart(2, '0')}/${String(month).padStart(2, '0')}/${year}`;
        return (read(text) !== 'date-not-real') === real;
      },
    ),
    { seed: testSeed(t), numRuns: 5_000 },
  );
  t.pass();
});
