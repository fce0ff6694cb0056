import t from 'tap';
import { maskPans } from './pan-mask.js';

/** Published numbers for tests, of each scheme. */
const CARDS = [
  ...['4111111111111111', '4222222222222', '5555555555554444', '2223003122003222', '378282246310005'],
  ...['6011111111111117', '30569309025904', '3530111333300000', '6200000000000005', '6759649826438453'],
];

t.test('a card number is masked, however it is written, and all but its ends is gone', async (t) => {
  for (const card of CARDS) {
    const masked = `${card.slice(0, 6)}${'*'.repeat(card.length - 10)}${card.slice(-4)}`;
    for (const [before, after] of [
      ['', ''],
      ['card ', ' declined'],
      ['"', '"'],
      ['pan=', '&x=1'],
      ['(', ').'],
    ]) {
      t.equal(maskPans(before + card + after), before + masked + after);
    }
  }
  for (const between of [' ', '-', '+', '%20']) {
    t.equal(maskPans(`x ${['4111', '1111', '1111', '1111'].join(between)} y`), 'x 411111******1111 y');
    t.equal(maskPans(`x ${['3782', '822463', '10005'].join(between)} y`), 'x 378282*****0005 y');
  }
});

t.test('a number of JSON stays one', async (t) => {
  const masked = maskPans(
    JSON.stringify({ card: 4111111111111111, cards: [5555555555554444], text: '4111111111111111' }),
  );
  t.strictSame(JSON.parse(masked), {
    card: 4111110000001111,
    cards: [5555550000004444],
    text: '411111******1111',
  });
});

t.test('what is no card number stays', async (t) => {
  for (const text of [
    '4111111111111112', // the check digit
    '1795000000123', // milliseconds since the epoch
    '0.4111111111111111',
    '4111111111111111.5',
    'a4111111111111111',
    '41111111111111110000000',
    '01890a5d-ac96-774b-bcce-4111111111111111',
    '4111-1111-1111-1111-1',
    '44177a21403427eb96664a6d7e5d5d48',
    '9999999999999995',
  ]) {
    t.equal(maskPans(text), text);
  }
});
