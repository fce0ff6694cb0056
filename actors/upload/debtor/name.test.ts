import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../../runtime/testing/seed.js';
import { readName, readNamePart } from './name.js';
import { Refusal } from './reasons.js';
import { isSepa, transliterate } from './transliterate.js';

const whole = (text: string) => {
  const name = readName(text);
  return name instanceof Refusal ? name.code : `${name.firstName}|${name.lastName}`;
};
const part = (text: string) => {
  const name = readNamePart(text);
  return name instanceof Refusal ? name.code : name;
};

t.test('a whole name is LAST, FIRST, or is split at the first space', async (t) => {
  const cases: Readonly<Record<string, string>> = {
    'Ana García': 'Ana|Garcia',
    'Ana de la Cruz': 'Ana|de la Cruz',
    'García López, Ana María': 'Ana Maria|Garcia Lopez',
    'BERG,BEN': 'BEN|BERG',
    'Berg , Ben': 'Ben|Berg',
    'Berg, Ben, Jr': 'Ben, Jr|Berg',
    'Ana   Berg': 'Ana|Berg',
    'Ana Maria   Berg': 'Ana|Maria Berg',
    Ana: 'name-incomplete',
    'Berg,': 'name-incomplete',
    ', Ana': 'name-incomplete',
    ',': 'name-incomplete',
    'Ana 123': 'name-no-letters',
    'Ana 王': 'name-characters',
    '王 Ana': 'name-characters',
  };
  for (const [text, name] of Object.entries(cases)) t.equal(whole(text), name, text);
});

t.test('35 characters each, counted as SEPA writes them', async (t) => {
  t.equal(part('x'.repeat(35)), 'x'.repeat(35));
  t.equal(part('x'.repeat(36)), 'name-too-long');
  t.equal(part('ñ'.repeat(35)), 'n'.repeat(35));
  // Two characters each in the file, one in SEPA.
  t.equal(part('n\u0303'.repeat(35)), 'n'.repeat(35));
  // One in the file, three to five in SEPA.
  t.equal(part('щ'.repeat(11)), 'sht'.repeat(11));
  t.equal(part('щ'.repeat(12)), 'name-too-long');
  t.equal(part(`${'x'.repeat(20)}   ${'y'.repeat(14)}`), `${'x'.repeat(20)} ${'y'.repeat(14)}`);
  t.equal(whole(`${'x'.repeat(35)} ${'y'.repeat(35)}`), `${'x'.repeat(35)}|${'y'.repeat(35)}`);
  t.equal(whole(`Ana ${'y'.repeat(36)}`), 'name-too-long');
});

t.test('letters become those of SEPA', async (t) => {
  const cases: Readonly<Record<string, string>> = {
    áéñ: 'aen',
    Müller: 'Muller',
    Weiß: 'Weis',
    'Søren Łukasz': 'Soren Lukasz',
    'Đorđe Šarić': 'Dorde Saric',
    'Þór Æsir Œuvre': 'Tor Asir Ouvre',
    'İbrahim Işık': 'Ibrahim Isik',
    'Ştefan Țuțea': 'Stefan Tutea',
    'Nguyễn Văn': 'Nguyen Van',
    "O’Brien d'Arc": "O'Brien d'Arc",
    'Smith & Söhne': 'Smith + Sohne',
    'A\u030angstro\u0308m': 'Angstrom',
    'ﬁlip Ｊｏｓé': 'filip Jose',
    'Γιώργος Παπαδόπουλος': 'Giorgos Papadopoulos',
    ΘΕΟΧΑΡΗΣ: 'THEOCHARIS',
    Θεοχάρης: 'Theocharis',
    'Георги Щерев': 'Georgi Shterev',
    ЖИВКО: 'ZHIVKO',
    Живко: 'Zhivko',
    'Ђорђе Његош': 'Djordje Njegosh',
    'Юрій Їжак': 'Yuriy Yizhak',
    'Фёдор Достоевский': 'Fedor Dostoevskiy',
    'и\u0306од': 'yod',
  };
  for (const [text, written] of Object.entries(cases)) t.equal(part(text), written, text);
});

t.test('what has no writing is refused', async (t) => {
  for (const text of [
    '王',
    'محمد',
    'Ana 😀',
    '=cmd|calc',
    'ana@example.com',
    'Ana\0',
    '\ufffd',
    'Ana*',
    'Ana\u00a0Berg',
    'Ana ¨',
    '\ud800x',
  ]) {
    t.equal(part(text), 'name-characters', JSON.stringify(text));
  }
  for (const text of ['123', '-', "'", '(...)']) t.equal(part(text), 'name-no-letters', text);
});

t.test('whatever comes in, SEPA characters come out, and again they are the same', async (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })), (text) => {
      const written = transliterate(text);
      if (written === undefined) return true;
      if (![...written].every((char) => isSepa(char.charCodeAt(0)))) return false;
      const name = readNamePart(text);
      if (name instanceof Refusal) return true;
      return name === name.trim() && !name.includes('  ') && name.length <= 35 && readNamePart(name) === name;
    }),
    { seed: testSeed(t), numRuns: 5_000 },
  );
  // Every character that there is.
  const wrong: string[] = [];
  for (let code = 0; code < 0x30000; code++) {
    const written = transliterate(String.fromCodePoint(code));
    if (written !== undefined && ![...written].every((char) => isSepa(char.charCodeAt(0))))
      wrong.push(code.toString(16));
  }
  t.strictSame(wrong, []);
  for (const char of 'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿŒœŠšŸŽžŁłŐőŰűĐđĦħ') {
    t.match(transliterate(char) ?? '', /^[A-Za-z]$/, char);
  }
});
