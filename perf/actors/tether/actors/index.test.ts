import { readdirSync } from 'node:fs';
import t from 'tap';
import { ACTORS } from './index.js';

t.test('the module of an actor bears the name of its type, and none is forgotten', async (t) => {
  const modules = readdirSync(new URL('.', import.meta.url))
    .filter((name) => name.endsWith('.js') && !name.startsWith('index.'))
    .map((name) => name.slice(0, -'.js'.length));
  t.strictSame(ACTORS.map(({ type }) => type).sort(), modules.sort());
});
