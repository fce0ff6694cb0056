/**
 * The form of a file of endpoints, composed of what each part of an entry says of itself: here what all endpoints have, and by provider its
 * options. What checks the file, an entry that comes over the API, and the schema for editors all come from here.
 */
import { z } from 'zod';
import { parseNetwork } from '../networks.js';
import { SECRET_BYTES_MAX } from './references.js';

const ENDPOINTS_MAX = 1000;

/** What the options of each provider are. */
const PROVIDERS: Readonly<Record<string, z.ZodType>> = {
  emp: z.strictObject({}, 'is empty: the provider emp has no options'),
};
const PROVIDER_NAMES = Object.keys(PROVIDERS);

const network = z
  .string('is a text')
  .transform((text, context) => {
    const range = parseNetwork(text);
    if (range !== undefined) return range;
    context.issues.push({
      code: 'custom',
      input: '',
      message: 'is an address or network such as 192.0.2.0/24',
    });
    return z.NEVER;
  })
  .meta({ description: 'An address or network, such as 192.0.2.0/24' });
const reference = z
  .string('is a text (put it in quotes)')
  .min(1, 'is not empty')
  .max(SECRET_BYTES_MAX, 'is too long');

const nameSchema = z
  .string('is a text')
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'is 1 to 63 of a-z, 0-9 and -, not first or last a -')
  .meta({ description: 'Unique; the first part of the path, and stands in every key of its messages' });

/** Of an endpoint, but for its name. */
const entryShape = {
  provider: z
    .enum(PROVIDER_NAMES, `is ${PROVIDER_NAMES.join(', ')}, the only provider of this version`)
    .meta({ description: 'Whose webhooks these are: how they are signed, read and answered' }),
  token: reference.meta({
    description: 'The second part of the path: 16 characters and more; or env:NAME, file:/path',
  }),
  secrets: z
    .array(reference, 'is a list of texts')
    .min(1, 'needs at least one secret')
    .max(16, 'takes at most 16 secrets')
    .meta({ description: 'A signature by any of them is valid; each may be env:NAME or file:/path' }),
  actor: z
    .string('is a text')
    .regex(/^[a-z][a-z0-9-]{0,62}$/, 'is the type of an actor: a-z, 0-9 and -')
    .default('payment')
    .meta({ description: 'The type of the actor that handles its messages' }),
  networks: z
    .array(network, 'is a list of networks')
    .min(1, 'lists at least one network; leave it out to allow every address')
    .max(1000, 'takes at most 1000 networks')
    .optional()
    .meta({ description: 'Only these may send; left out, every address may' }),
  options: z.unknown().optional(),
};

const entrySchema = z.strictObject(entryShape, 'is a mapping').superRefine(checkOptions);
const namedEntrySchema = z
  .strictObject({ name: nameSchema, ...entryShape }, 'is a mapping')
  .superRefine(checkOptions);

/** Entries are checked one by one: a mistake in one must not hide those of the others. */
const documentSchema = z.strictObject(
  {
    endpoints: z
      .array(z.unknown(), 'is a list of entries')
      .max(ENDPOINTS_MAX, `takes at most ${ENDPOINTS_MAX} entries`),
  },
  'is a mapping with the one key endpoints',
);

type Entry = z.output<typeof entrySchema>;

function checkOptions(
  { provider, options }: { readonly provider: string; readonly options?: unknown },
  context: z.RefinementCtx,
): void {
  const checked = options === undefined ? undefined : PROVIDERS[provider]?.safeParse(options);
  for (const issue of checked?.error?.issues ?? []) {
    context.issues.push({
      ...issue,
      path: ['options', ...issue.path],
      input: options,
    } as z.core.$ZodRawIssue);
  }
}

/** The fields that there may be at a place of the file, to guess what a misspelt one means. */
function fieldsAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(documentSchema.shape);
  return path.length === 2 ? ['name', ...Object.keys(entryShape)] : [];
}

/** JSON Schema of a whole file, for editors: each provider with its own options. */
function endpointsJsonSchema(): object {
  const entries = Object.entries(PROVIDERS).map(([provider, options]) =>
    z.strictObject({
      name: nameSchema,
      ...entryShape,
      provider: z.literal(provider).meta({ description: 'Whose webhooks these are' }),
      options: options.optional(),
    }),
  );
  const schema = z.strictObject({
    endpoints: z.array(z.union(entries)).max(ENDPOINTS_MAX).meta({ description: 'Who may send webhooks' }),
  });
  return { title: 'Endpoints of Tether', ...z.toJSONSchema(schema, { io: 'input' }) };
}

export {
  documentSchema,
  ENDPOINTS_MAX,
  type Entry,
  endpointsJsonSchema,
  entrySchema,
  fieldsAt,
  namedEntrySchema,
  nameSchema,
};
