import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../../runtime/testing/seed.js';
import { ibanRemainder } from '../../iban.js';
import { readIban } from './iban.js';
import { ibanShape, SEPA_COUNTRIES } from './iban-formats.js';
import { Refusal } from './reasons.js';
import { makeIban, withCheckDigits } from './test/make-iban.js';

/** The examples of the registry, no one's accounts: one for each SEPA country. */
const EXAMPLES = `
  AD1200012030200359100100 AL47212110090000000235698741 AT611904300234573201 BE68539007547034 BG80BNBG96611020345678
  CH9300762011623852957 CY17002001280000001200527600 CZ6508000000192000145399 DE89370400440532013000 DK5000400440116243
  EE382200221020145685 ES9121000418450200051332 FI2112345600000785 FR1420041010050500013M02606 GB29NWBK60161331926819
  GI75NWBK000000007099453 GR1601101250000000012300695 HR1210010051863000160 HU42117730161111101800000000
  IE29AIBK93115212345678 IS140159260076545510730339 IT60X0542811101000000123456 LI21088100002324013AA LT121000011101001000
  LU280019400644750000 LV80BANK0000435195001 MC5811222000010123456789030 MD24AG000225100013104168 ME25505000012345678951
  MK07250120000058984 MT84MALT011000012345MTLCAST001S NL91ABNA0417164300 NO9386011117947 PL61109010140000071219812874
  PT50000201231234567890154 RO49AAAA1B31007593840000 RS35260005601001611379 SE4550000000058398257466 SI56263300012039086
  SK3112000000198742637541 SM86U0322509800000000270100 VA59001123000012345678`
  .trim()
  .split(/\s+/);

const code = (text: string) => {
  const read = readIban(text);
  return read instanceof Refusal ? read.code : read;
};

t.test("every SEPA country's example is read, and there are 41 and Gibraltar", async (t) => {
  for (const iban of EXAMPLES) t.equal(code(iban), iban);
  t.strictSame(
    EXAMPLES.map((iban) => iban.slice(0, 2)),
    SEPA_COUNTRIES,
  );
  t.equal(SEPA_COUNTRIES.length, 42);
});

t.test('spaces and small letters change nothing', async (t) => {
  t.equal(code('de89 3704 0044 0532 0130 00'), 'DE89370400440532013000');
  t.equal(code(' fr14 2004 1010 0505 0001 3m02 606 '), 'FR1420041010050500013M02606');
});

t.test('each reason', async (t) => {
  const cases: Readonly<Record<string, string>> = {
    DE: 'iban-malformed',
    '89DE370400440532013000': 'iban-malformed',
    'DE89-3704-0044-0532-0130-00': 'iban-malformed',
    DEX9370400440532013000: 'iban-malformed',
    // A letter where Germany has digits.
    DE8937040044053201300A: 'iban-malformed',
    // A digit where the Netherlands have letters.
    NL910BNA0417164300: 'iban-malformed',
    // Letters that have capitals in ASCII.
    DE89ſ70400440532013000: 'iban-malformed',
    İT60X0542811101000000123456: 'iban-malformed',
    ıt60X0542811101000000123456: 'iban-malformed',
    '=cmd|calc': 'iban-malformed',
    // Right in all but the country.
    BR1500000000000010932840814P2: 'iban-country-not-sepa',
    TR330006100519786457841326: 'iban-country-not-sepa',
    XK051212012345678906: 'iban-country-not-sepa',
    ZZ8937040044: 'iban-country-not-sepa',
    DE893704004405320130: 'iban-length',
    DE8937040044053201300000: 'iban-length',
    DE88370400440532013000: 'iban-check-digits',
    DE89370400440532013001: 'iban-check-digits',
  };
  for (const [text, reason] of Object.entries(cases)) t.equal(code(text), reason, text);
});

t.test('no account has a second IBAN by check digits out of their range', async (t) => {
  let others = 0;
  for (let seed = 0; seed < 400; seed++) {
    const iban = makeIban('DE', seed);
    const digits = Number(iban.slice(2, 4));
    for (const other of [digits - 97, digits + 97]) {
      if (other < 0 || other > 99) continue;
      others++;
      const text = `DE${String(other).padStart(2, '0')}${iban.slice(4)}`;
      t.equal(ibanRemainder(text), 1, text);
      t.equal(code(text), 'iban-check-digits', text);
    }
  }
  t.ok(others > 0);
});

t.test('made ones are read; changed in one character, or two swapped, they are not', async (t) => {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
  const isDigit = (char: string | undefined) => /\d/.test(char ?? '');
  fc.assert(
    fc.property(
      fc.constantFrom(...SEPA_COUNTRIES),
      fc.nat({ max: 999_999_999 }),
      fc.nat({ max: 33 }),
      fc.constantFrom(...alphabet),
      (country, seed, position, char) => {
        const iban = makeIban(country, seed);
        if (code(iban) !== iban) return false;
        const at = 2 + (position % (iban.length - 2));
        const changed = iban.slice(0, at) + char + iban.slice(at + 1);
        // Where a country has both, a letter for a digit moves the rest of the number: one in 97 comes out right.
        const either = ibanShape(country.charCodeAt(0), country.charCodeAt(1))?.[at] === 'c';
        const noticed = !either || isDigit(char) === isDigit(iban[at]);
        if (changed !== iban && noticed && typeof readIban(changed) === 'string') return false;
        const swapped =
          iban.slice(0, at) +
          iban
            .slice(at, at + 2)
            .split('')
            .reverse()
            .join('') +
          iban.slice(at + 2);
        const kinds = isDigit(iban[at]) && isDigit(iban[at + 1]);
        return swapped === iban || !kinds || at < 3 || typeof readIban(swapped) !== 'string';
      },
    ),
    { seed: testSeed(t), numRuns: 20_000 },
  );
  t.pass();
});

t.test('the remainder is that of the number that the letters stand for', async (t) => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}$/), (text) => {
      const number = [...(text.slice(4) + text.slice(0, 4))]
        .map((char) => Number.parseInt(char, 36))
        .join('');
      return ibanRemainder(text) === Number(BigInt(number) % 97n);
    }),
    { seed: testSeed(t), numRuns: 2_000 },
  );
  t.pass();
});

t.test('the maker makes another for each seed, and check digits for any account', async (t) => {
  for (const country of SEPA_COUNTRIES) {
    const made = new Set(Array.from({ length: 500 }, (_, i) => makeIban(country, i * 7919)));
    t.equal(made.size, 500, country);
    t.equal(makeIban(country, 12), makeIban(country, 12));
  }
  t.match(makeIban('NO', 123_456_789), /^NO\d{4}123456789$/);
  t.equal(withCheckDigits('DE', '370400440532013000'), 'DE89370400440532013000');
  t.throws(() => makeIban('US', 1), RangeError);
});
