import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../../runtime/testing/seed.js';
import { SEPA_COUNTRIES } from './iban-formats.js';
import { type MaskKind, maskValue } from './mask.js';
import { makeIban } from './test/make-iban.js';

t.test('what each kind shows', async (t) => {
  const cases: readonly (readonly [MaskKind, string, string])[] = [
    ['iban', 'DE89370400440532013000', 'DE89…3000'],
    ['iban', 'de89 3704 0044 0532 0130 00', 'de89…3000'],
    ['iban', 'DE893704', 'DE…'],
    ['iban', 'D', 'D…'],
    ['iban', '', ''],
    ['amount', '1.234', '1.234'],
    ['amount', '-5 €', '-5 €'],
    ['amount', 'abc', 'a…'],
    ['amount', 'DE89370400440532013000', 'D…'],
    ['amount', '4111 1111 1111 1111', '4…'],
    ['email', 'ana@example.com@', 'a…@'],
    ['email', 'ana berg@example.com', 'a…@example.com'],
    ['email', 'ana', 'a…'],
    ['email', '@example.com', '@…'],
    ['email', `ana@${'x'.repeat(60)}`, 'a…'],
    ['date', '31/02/1980', '##/##/####'],
    ['date', '٣١ Feb 80', '## aaa ##'],
    ['date', 'Ana García-Berg', 'aaa aaaaaa-aaaa'],
    ['date', '1'.repeat(50), `${'#'.repeat(20)}…`],
    ['code', 'DEU', 'DEU'],
    ['code', 'Germany', 'G…'],
    ['text', 'Ana Berg', 'A…'],
    ['text', '😀😀', '😀…'],
    ['text', '\u202e\0Ana', 'A…'],
    ['text', '=cmd', '=…'],
    ['text', ' \0 ', ''],
  ];
  for (const [kind, value, masked] of cases)
    t.equal(maskValue(kind, value), masked, `${kind} ${JSON.stringify(value)}`);
});

t.test('an IBAN shows eight characters, wherever it stands', async (t) => {
  const kinds: readonly MaskKind[] = ['iban', 'amount', 'email', 'date', 'code', 'text'];
  fc.assert(
    fc.property(fc.constantFrom(...SEPA_COUNTRIES), fc.nat({ max: 999_999_999 }), (country, seed) => {
      const iban = makeIban(country, seed);
      for (const kind of kinds) {
        const shown = maskValue(kind, iban).replace(/…|#|a/g, '');
        if (shown.length > 8 || (kind !== 'iban' && shown.length > 1)) throw new Error(`${kind}: ${shown}`);
      }
    }),
    { seed: testSeed(t), numRuns: 1_000 },
  );
  t.pass();
});

t.test(
  'whatever comes in: at most 40 characters, all to be seen, and no more of it than allowed',
  async (t) => {
    const allowed: Readonly<Record<MaskKind, number>> = {
      iban: 8,
      amount: 30,
      email: 40,
      date: 20,
      code: 3,
      text: 1,
    };
    fc.assert(
      fc.property(
        fc.constantFrom(...(Object.keys(allowed) as MaskKind[])),
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string({ unit: 'binary', minLength: 900, maxLength: 1_100 }),
          fc.array(fc.nat({ max: 0xffff }), { maxLength: 60 }).map((codes) => String.fromCharCode(...codes)),
          fc.emailAddress(),
        ),
        (kind, value) => {
          const masked = maskValue(kind, value);
          if (masked.length > 40 || /[\p{Cc}\p{Cs}\u200b-\u200f\u202a-\u202e\u2066-\u2069]/u.test(masked))
            return false;
          return [...masked.replace('…', '')].length <= allowed[kind];
        },
      ),
      { seed: testSeed(t), numRuns: 5_000 },
    );
    t.pass();
  },
);
