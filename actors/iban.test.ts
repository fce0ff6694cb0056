import t from 'tap';
import { parseIban } from './iban.js';

// Documentation examples of the registry, no one's accounts.
const VALID = [
  'DE89370400440532013000',
  'GB82WEST12345698765432',
  'NO9386011117947',
  'MT84MALT011000012345MTLCAST001S',
];

t.test('valid ones, in any writing', async (t) => {
  for (const iban of VALID) t.equal(parseIban(iban), iban);
  t.equal(parseIban('de89 3704 0044 0532 0130 00'), VALID[0]);
});

t.test('one wrong digit, or two swapped, is noticed', async (t) => {
  for (const iban of VALID) {
    for (let i = 4; i < iban.length; i++) {
      const other = iban[i] === '7' ? '3' : '7';
      t.equal(parseIban(iban.slice(0, i) + other + iban.slice(i + 1)), undefined);
    }
  }
  t.equal(parseIban('DE98370400440532013000'), undefined);
});

t.test('what has not the form is none', async (t) => {
  for (const text of [
    '',
    'DE',
    '89DE370400440532013000',
    'DE89-3704-0044-0532-0130-00',
    'DE89'.padEnd(1000, '0'),
  ]) {
    t.equal(parseIban(text), undefined);
  }
});

t.test('check digits out of their range give no second name to an account', async (t) => {
  // 00 and 97, 01 and 98, 02 and 99 are the same modulo 97.
  let found = 0;
  for (let account = 0; account < 300; account++) {
    for (const digits of ['00', '01', '99']) {
      t.equal(parseIban(`XX${digits}0000000000${String(account).padStart(4, '0')}`), undefined);
    }
    for (const digits of ['97', '98', '02']) {
      if (parseIban(`XX${digits}0000000000${String(account).padStart(4, '0')}`) !== undefined) found++;
    }
  }
  t.ok(found > 0, 'the other name of some of these is valid');
});
