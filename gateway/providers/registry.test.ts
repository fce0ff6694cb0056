import t from 'tap';
import { z } from 'zod';
import { PROVIDERS } from './registry.js';

t.test('the options of each provider can be given to an editor', async (t) => {
  for (const { name, options, optionNames } of PROVIDERS.values()) {
    const schema = z.toJSONSchema(options, { io: 'input' });
    t.match(schema, { type: 'object', additionalProperties: false }, name);
    t.same(Object.keys(schema.properties ?? {}), optionNames, name);
  }
});

t.test('options are a mapping, and what was left out is filled in', async (t) => {
  for (const { name, options } of PROVIDERS.values()) {
    for (const value of [null, 7, 'text', []]) t.notOk(options.safeParse(value).success, `${name}: ${value}`);
  }
  t.match(PROVIDERS.get('stripe')?.options.parse({}), { toleranceSeconds: 300 });
});

t.test('a provider reads no header that it has no use for', async (t) => {
  const headers = (name: string, secrets: readonly string[], options = {}) =>
    PROVIDERS.get(name)?.create({ endpoint: 'e', secrets, options, order: 'key' }).headers;
  t.same(headers('emp', ['s']), [], 'EMP none at all');
  t.same(headers('stripe', ['whsec_s']), ['stripe-signature', 'content-type']);
  t.same(headers('none', [], { unsigned: true, keepHeaders: ['X-A', 'x-a'] }), ['content-type', 'x-a']);
});
