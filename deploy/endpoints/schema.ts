/**
 * The form of a file of endpoints, composed of what each part of an entry says of itself: here what all endpoints have, and by provider its
 * options. What checks the file, an entry that comes over the API, and the schema for editors all come from here.
 */
import { z } from 'zod';
import { parseNetwork } from '../networks.js';
import { SECRET_BYTES_MAX } from './references.js';

const ENDPOINTS_MAX = 1000;

/** What the form of an entry depends on: its options, and how many secrets there are. */
interface ProviderForm {
  readonly options: z.ZodType;
  readonly secrets: { readonly min: number; readonly max: number };
}

const SECRETS_MAX = 16;
const PROVIDERS: ReadonlyMap<string, ProviderForm> = new Map([
  [
    'emp',
    {
      options: z.strictObject({}, 'is empty: the provider emp has no options'),
      secrets: { min: 1, max: SECRETS_MAX },
    },
  ],
]);
const PROVIDER_NAMES = [...PROVIDERS.keys()];

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
    .max(SECRETS_MAX, `takes at most ${SECRETS_MAX} secrets`)
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
  options: z.record(z.string(), z.unknown(), 'is a mapping').optional(),
};

const entrySchema = z.strictObject(entryShape, 'is a mapping').superRefine(checkByProvider);
const namedEntrySchema = z
  .strictObject({ name: nameSchema, ...entryShape }, 'is a mapping')
  .superRefine(checkByProvider);

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

function checkByProvider(
  {
    provider,
    options,
    secrets,
  }: {
    readonly provider: string;
    readonly options?: unknown;
    readonly secrets: readonly string[];
  },
  context: z.RefinementCtx,
): void {
  const form = PROVIDERS.get(provider);
  if (form === undefined) return;
  const { min, max } = form.secrets;
  const message =
    secrets.length < min
      ? `needs at least ${min === 1 ? 'one secret' : `${min} secrets`}`
      : `takes ${max === 0 ? 'no' : `at most ${max}`} secrets`;
  if (secrets.length < min || secrets.length > max)
    context.issues.push({ code: 'custom', path: ['secrets'], message, input: '' });
  const checked = options === undefined ? undefined : form.options.safeParse(options);
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
  const entries = [...PROVIDERS].map(
    ([
      provider,
      {
        options,
        secrets: { min, max },
      },
    ]) =>
      z.strictObject({
        name: nameSchema,
        ...entryShape,
        provider: z.literal(provider).meta({ description: 'Whose webhooks these are' }),
        secrets: entryShape.secrets
          .min(min)
          .max(max)
          .meta(entryShape.secrets.meta() ?? {}),
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
