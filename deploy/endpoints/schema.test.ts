/** The schema for editors says what the reader does. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { PROVIDERS } from '../../gateway/providers/index.js';
import { endpointsJsonSchema, entrySchema, fieldsAt } from './schema.js';

type Described = Readonly<Record<string, { description?: string; const?: string }>>;
const schema = endpointsJsonSchema() as {
  readonly properties: {
    readonly endpoints: { readonly items: { readonly anyOf: readonly object[] } };
    readonly targets: {
      readonly items: { readonly properties: Described; readonly required: readonly string[] };
    };
  };
};

t.test('what stands in the reference is what is made of the code', async (t) => {
  const written: unknown = JSON.parse(readFileSync('docs/reference/endpoints.schema.json', 'utf8'));
  t.strictSame(written, JSON.parse(JSON.stringify(schema)), 'node dist/deploy/write-config-text.js');
});

t.test('every field stands in it, with what it means', async (t) => {
  const fields = ['name', ...Object.keys(entrySchema.shape)];
  t.strictSame(fieldsAt(['endpoints', 0]), fields);
  for (const entry of schema.properties.endpoints.items.anyOf) {
    t.match(entry, { additionalProperties: false });
    const { properties, required } = entry as {
      readonly properties: Described;
      readonly required: readonly string[];
    };
    const provider = properties.provider?.const ?? '';
    const needs = (PROVIDERS.get(provider)?.secrets.min ?? 0) > 0;
    t.strictSame(
      required.filter((name) => name !== 'options'),
      ['name', 'provider', 'token', ...(needs ? ['secrets'] : [])],
      provider,
    );
    t.same(Object.keys(properties).sort(), [...fields].sort());
    for (const [name, { description }] of Object.entries(properties)) {
      if (name !== 'options') t.ok(description, name);
    }
  }
});

t.test('targets stand in it as well, and in their page', async (t) => {
  const { properties, required } = schema.properties.targets.items;
  const fields = fieldsAt(['targets', 0]);
  t.same(Object.keys(properties).sort(), [...fields].sort());
  t.strictSame(required, ['name', 'url', 'secrets']);
  for (const [name, { description }] of Object.entries(properties)) t.ok(description, name);
  const [, section = ''] = readFileSync('docs/how-to/forward.md', 'utf8').split('## A target');
  const rows = [...section.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  t.strictSame(
    fields.filter((field) => !rows.includes(field)),
    [],
  );
});

t.test('the page of the configuration has every field', async (t) => {
  const [, section = ''] = readFileSync('docs/reference/configuration.md', 'utf8').split('## Endpoints file');
  const rows = [...section.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  t.same(rows.sort(), [...fieldsAt(['endpoints', 0])].sort());
});
