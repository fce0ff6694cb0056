import fc from 'fast-check';
import t from 'tap';
import { ibanRemainder } from '../actors/iban.js';
import { testSeed } from '../runtime/testing/seed.js';
import { maskIbans } from './iban-mask.js';
import { createLogger } from './logger.js';

const LENGTHS = { NO: 15, BE: 16, NL: 18, DE: 22, ES: 24, FR: 27, PL: 28, MT: 31, LC: 32 } as const;
type Country = keyof typeof LENGTHS;

/** Of an account that nobody has: random characters, with the check digits that belong to them. */
const madeUp = fc.constantFrom(...(Object.keys(LENGTHS) as Country[])).chain((country) =>
  fc
    .string({
      unit: fc.constantFrom(...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'),
      minLength: LENGTHS[country] - 4,
      maxLength: LENGTHS[country] - 4,
    })
    .map((account) => {
      const check = 98 - ibanRemainder(`${country}00${account}`);
      return `${country}${String(check).padStart(2, '0')}${account}`;
    }),
);
const written = madeUp.chain((iban) =>
  fc
    .constantFrom('', ' ', '-', '+', '%20')
    .chain((between) => fc.boolean().map((small) => [iban, between, small] as const))
    .map(([iban, between, small]) => {
      const text = (iban.match(/.{1,4}/g) ?? []).join(between);
      return { iban, text: small ? text.toLowerCase() : text };
    }),
);
const seed = testSeed(t);
const runs = 300;

t.test('no line shows a whole IBAN, wherever it stands and however it is written', async () => {
  const around = fc.constantFrom(
    '',
    'for ',
    'AB12 ',
    'a\n',
    '"',
    '\t',
    '\u0001',
    'DE8 ',
    'IBAN',
    'iban=',
    '/',
  );
  const behind = fc.constantFrom('', ' was refused', '\n', '"', ', DE', '/x', ' 12', '.');
  fc.assert(
    fc.property(fc.array(fc.tuple(around, written, behind), { minLength: 1, maxLength: 4 }), (parts) => {
      const lines: string[] = [];
      const logger = createLogger({ level: 'info', stream: { write: (line: string) => lines.push(line) } });
      const text = parts.map(([before, { text }, after]) => `${before}${text}${after};`).join(' ');
      logger.info({ [text]: [text], err: new Error(text) }, text);
      const [line = ''] = lines;
      JSON.parse(line);
      const bare = line.replaceAll(/[ +-]|%20/g, '').toUpperCase();
      return parts.every(([, { iban }]) => {
        const masked = iban.slice(0, 4) + '*'.repeat(iban.length - 8) + iban.slice(-4);
        return !bare.includes(iban) && bare.includes(masked);
      });
    }),
    { seed, numRuns: runs },
  );
});

t.test('one wrong digit, another length or a longer word is no IBAN and stays', async (t) => {
  fc.assert(
    fc.property(madeUp, fc.integer({ min: 0, max: 9 }), (iban, digit) => {
      const last = iban.at(-1) ?? '';
      const others = [`${iban}A`, `X${iban}`, iban.slice(0, -1), `${iban.slice(0, 2)}00${iban.slice(4)}`];
      if (/\d/.test(last) && last !== `${digit}`) others.push(iban.slice(0, -1) + digit);
      return others.every((other) => maskIbans(other) === other);
    }),
    { seed, numRuns: runs },
  );
  for (const text of [
    '4bf92f3577b34da6a3ce929d0e0e4736',
    'de893704-0044-0532-0130-00a1b2c3d4e5',
    '2026-11-26T07:00:00.000Z',
    'a sentence of words without numbers',
    '',
  ]) {
    t.equal(maskIbans(text), text);
  }
});

t.test('ids are hardly ever taken for one', async (t) => {
  let masked = 0;
  const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 32, maxLength: 32 });
  for (const id of fc.sample(fc.tuple(hex, fc.uuid()), { seed, numRuns: 20_000 }).flat()) {
    if (maskIbans(`{"id":"${id}"}`).includes('*')) masked++;
  }
  t.equal(masked, 0);
});

t.test('a line costs little, and a text made to be slow not much', async (t) => {
  const line = `{"level":"info","time":"2026-11-26T07:00:00.000Z","actor":"payment","id":"0199a7c2-4c1e-7000-8000-a1b2c3d4e5f6","traceId":"4bf92f3577b34da6a3ce929d0e0e4736","msg":"a message is given up and becomes a dead letter"}\n`;
  const lines = 20_000;
  const begun = performance.now();
  for (let i = 0; i < lines; i++) maskIbans(line);
  const us = ((performance.now() - begun) * 1_000) / lines;
  t.comment(`${us.toFixed(2)} us a line`);
  t.ok(us < 50, `${us} us a line`);
  const slow = performance.now();
  maskIbans('LC11 '.repeat(50_000));
  maskIbans('%20DE11-'.repeat(50_000));
  t.ok(performance.now() - slow < 2_000, 'linear');
});
