import t from 'tap';
import { sameSecret } from './secret.js';

t.test('only the same secret is the same', async (t) => {
  t.ok(sameSecret('a', 'a'));
  t.ok(sameSecret('a long one \u{1F511}', 'a long one \u{1F511}'));
  for (const given of ['', 'secre', 'secrett', 'Secret', 'secresecret', 'secretsecret', 'secret\0']) {
    t.notOk(sameSecret(given, 'secret'), JSON.stringify(given));
  }
  t.notOk(sameSecret('', ''), 'an empty secret protects nothing, so nothing equals it');
  t.notOk(sameSecret('x', ''));
});
