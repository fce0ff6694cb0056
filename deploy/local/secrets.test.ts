import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { keptSecret } from './secrets.js';

t.test('a secret is made once, for its owner alone', async (t) => {
  const file = join(t.testdir(), 'secret');
  const secret = await keptSecret(file);
  t.match(secret, /^[0-9a-f]{48}$/);
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal(await keptSecret(file), secret);
  t.not(await keptSecret(`${file}-2`), secret);
});

t.test('what is no secret is not taken for one, and left as it is', async (t) => {
  const file = join(t.testdir(), 'secret');
  for (const text of ['', 'short\n', 'with a "quote" in it, and long enough for anybody\n']) {
    writeFileSync(file, text);
    await t.rejects(keptSecret(file), { code: 'TETHER_CONFIG_REFUSED', message: /remove it/ });
    t.equal(readFileSync(file, 'utf8'), text);
  }
});
