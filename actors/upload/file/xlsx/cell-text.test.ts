import t from 'tap';
import { builtinKind, decodeEscapes, formatKind, isoDateText, numberText } from './cell-text.js';

const number = (raw: string) => numberText(raw, 'number', 1900);

t.test('numbers, as a spreadsheet shows them', async (t) => {
  for (const [raw, text] of [
    ['0', '0'],
    ['-1234.5', '-1234.5'],
    ['19.989999999999998', '19.99'],
    ['0.1', '0.1'],
    ['1E-3', '0.001'],
    ['1.5E-7', '0.00000015'],
    ['1E-30', '0'],
    ['1.2345678901234568E+19', '12345678901234600000'],
    ['1E22', '10000000000000000000000'],
    ['-2E+21', '-2000000000000000000000'],
    ['1234567890123456', '1234567890123456'],
    ['007', '7'],
    ['', ''],
    ['#', '#'],
    ['Infinity', 'Infinity'],
    ['1e999', '1e999'],
  ] as const) {
    t.equal(number(raw), text, raw);
  }
});

t.test('dates of both systems', async (t) => {
  const date = (serial: string, epoch: 1900 | 1904 = 1900) => numberText(serial, 'date', epoch);
  t.equal(date('1'), '1900-01-01');
  t.equal(date('59'), '1900-02-28');
  t.equal(date('60'), '1900-02-29');
  t.equal(date('61'), '1900-03-01');
  t.equal(date('46351'), '2026-11-25');
  t.equal(date('46351.75'), '2026-11-25', 'a format without a time');
  t.equal(date('2958465'), '9999-12-31');
  t.equal(date('0', 1904), '1904-01-01');
  t.equal(date('44889', 1904), '2026-11-25');
  for (const none of ['0', '-1', '2958466', 'x']) t.equal(date(none), none, 'no date');
});

t.test('times', async (t) => {
  t.equal(numberText('46351.75', 'date-time', 1900), '2026-11-25T18:00:00');
  t.equal(numberText('46351', 'date-time', 1900), '2026-11-25');
  t.equal(
    numberText('46350.9999999', 'date-time', 1900),
    '2026-11-25',
    'the last half second is the next day',
  );
  t.equal(numberText('0.5', 'time', 1900), '12:00:00');
  t.equal(numberText('1.5', 'time', 1900), '1.5');
});

t.test('kinds of formats', async (t) => {
  for (const id of [14, 17, 27, 31, 36, 50, 58]) t.equal(builtinKind(id), 'date', `${id}`);
  for (const id of [18, 21, 45, 47]) t.equal(builtinKind(id), 'time', `${id}`);
  t.equal(builtinKind(22), 'date-time');
  for (const id of [0, 1, 4, 9, 13, 37, 44, 46, 48, 49]) t.equal(builtinKind(id), 'number', `${id}`);
  for (const [code, kind] of [
    ['General', 'number'],
    ['0.00', 'number'],
    ['#,##0.00 "days"', 'number'],
    ['0.00E+00', 'number'],
    ['#,##0.00\\ [$€-407]', 'number'],
    ['[Red]0;[Blue]-0', 'number'],
    ['[h]:mm', 'number'],
    ['@', 'number'],
    ['dd/mm/yyyy;@', 'date'],
    ['[$-409]d\\-mmm\\-yy;@', 'date'],
    ['mmm', 'date'],
    ['yyyy"year"', 'date'],
    ['dd.mm.yyyy hh:mm', 'date-time'],
    ['h:mm AM/PM', 'time'],
    ['mm:ss.0', 'time'],
  ] as const) {
    t.equal(formatKind(code), kind, code);
  }
});

t.test('texts', async (t) => {
  t.equal(decodeEscapes('a_x000D_b_x005F_x0041_'), 'a\rb_x0041_');
  t.equal(decodeEscapes('_x0000__xD800__x12_'), '_x0000__xD800__x12_', 'never what no text may have');
  t.equal(isoDateText('2026-11-25T00:00:00.000Z'), '2026-11-25');
  t.equal(isoDateText('2026-11-25T10:00:00'), '2026-11-25T10:00:00');
});
