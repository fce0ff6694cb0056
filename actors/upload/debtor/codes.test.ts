import t from 'tap';
import { readBic, readCountry, readCurrency, readEmail } from './codes.js';
import { Refusal } from './reasons.js';

type Reader = (text: string) => string | Refusal;
const check =
  (reader: Reader, cases: Readonly<Record<string, string>>) =>
  async (t: { equal(found: unknown, wanted: unknown, message: string): unknown }) => {
    for (const [text, value] of Object.entries(cases)) {
      const read = reader(text);
      t.equal(read instanceof Refusal ? read.code : read, value, JSON.stringify(text));
    }
  };

t.test(
  'BIC',
  check(readBic, {
    DEUTDEFF: 'DEUTDEFF',
    deutdeff500: 'DEUTDEFF500',
    'DEUT DE FF 500': 'DEUTDEFF500',
    DEUTDEFFXXX: 'DEUTDEFFXXX',
    DEUTDEF: 'bic-malformed',
    DEUTDEFF5: 'bic-malformed',
    DEUTDEFF5000: 'bic-malformed',
    DEUT12FF: 'bic-malformed',
    D3UTDEFF: 'bic-malformed',
    'DEUT-DEFF': 'bic-malformed',
    deutdefı: 'bic-malformed',
    'DEUTDEFF\n': 'bic-malformed',
  }),
);

t.test(
  'country',
  check(readCountry, {
    DE: 'DE',
    de: 'DE',
    UK: 'GB',
    el: 'GR',
    US: 'US',
    D: 'country-malformed',
    DEU: 'country-malformed',
    Germany: 'country-malformed',
    D1: 'country-malformed',
    ıt: 'country-malformed',
    ß: 'country-malformed',
    'D\0': 'country-malformed',
  }),
);

t.test(
  'currency',
  check(readCurrency, {
    EUR: 'EUR',
    eur: 'EUR',
    '€': 'EUR',
    $: 'USD',
    '£': 'GBP',
    chf: 'CHF',
    Euro: 'currency-malformed',
    E: 'currency-malformed',
    '¥': 'currency-malformed',
    // Amounts in minor units would be a hundred times too high.
    ISK: 'currency-unsupported',
    JPY: 'currency-unsupported',
    KWD: 'currency-unsupported',
    XYZ: 'currency-unsupported',
  }),
);

t.test(
  'e-mail',
  check(readEmail, {
    'ana@example.com': 'ana@example.com',
    'Ana.Berg+Tag@Example.COM': 'ana.berg+tag@example.com',
    "o'brien@mail.example.co.uk": "o'brien@mail.example.co.uk",
    'jos\u00e9@ex\u00e4mple.com': 'jos\u00e9@ex\u00e4mple.com',
    [`${'x'.repeat(64)}@example.com`]: `${'x'.repeat(64)}@example.com`,
    [`${'x'.repeat(65)}@example.com`]: 'email-malformed',
    'ana@': 'email-malformed',
    '@example.com': 'email-malformed',
    ana: 'email-malformed',
    'ana@example': 'email-malformed',
    'ana@@example.com': 'email-malformed',
    'ana@b@example.com': 'email-malformed',
    'ana@example..com': 'email-malformed',
    'ana@.com': 'email-malformed',
    'ana@example.com.': 'email-malformed',
    'ana berg@example.com': 'email-malformed',
    'ana@exam ple.com': 'email-malformed',
    'ana@example.com, ben@example.com': 'email-malformed',
    'Ana <ana@example.com>': 'email-malformed',
    'ana@exa_mple.com': 'email-malformed',
    'a\0na@example.com': 'email-malformed',
    'ana@example.com\n': 'email-malformed',
    'an\u202ea@example.com': 'email-malformed',
    'an\u200ba@example.com': 'email-malformed',
    'an\ud800a@example.com': 'email-malformed',
  }),
);
