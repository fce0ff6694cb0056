import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
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

t.test('who asks while it is made gets the same one, and nothing else is left', async (t) => {
  const directory = t.testdir();
  for (let round = 0; round < 50; round++) {
    const file = join(directory, `secret-${round}`);
    const first = keptSecret(file);
    const end = performance.now() + 10_000;
    while (!existsSync(file) && performance.now() < end) await setImmediate();
    // At once: what is read is not what is there a moment later.
    const there = readFileSync(file, 'utf8').trim();
    t.equal(there, await first);
    t.equal(await keptSecret(file), there);
  }
  const [one, other] = await Promise.all(['both', 'both'].map((name) => keptSecret(join(directory, name))));
  t.equal(one, other);
  t.equal(readdirSync(directory).length, 51);
});

t.test('what is no secret is not taken for one, and left as it is', async (t) => {
  const file = join(t.testdir(), 'secret');
  for (const text of ['', 'short\n', 'with a "quote" in it, and long enough for anybody\n']) {
    writeFileSync(file, text);
    await t.rejects(keptSecret(file), { code: 'TETHER_CONFIG_REFUSED', message: /remove it/ });
    t.equal(readFileSync(file, 'utf8'), text);
  }
});
