/**
 * The form of a file of endpoints and targets, composed of what each part of an entry says of itself: here what all endpoints have, and by provider
 * its options; of a target, what the forwarding actor says. What checks the file, an entry that comes over the API, and the schema for editors all
 * come from here.
 */
import { z } from 'zod';
import { TARGETS_MAX, targetFieldsAt, targetSchemaWith } from '../../actors/forward/target-settings.js';
import { handlingSchema, handlingShape } from '../../actors/webhook/route-settings.js';
import { BODY_BYTES_MAX, ENDPOINT_BODY_BYTES_MAX } from '../../gateway/large-bodies.js';
import { countProblem, PROVIDERS } from '../../gateway/providers/index.js';
import { parseNetwork } from '../networks.js';
import { didYouMean } from '../suggest.js';
import { SECRET_BYTES_MAX } from './references.js';

const ENDPOINTS_MAX = 1000;

const NAMES = [...PROVIDERS.keys()];

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

const OPTIONS = 'Those of the provider';
const ROUTES = 'Which of its messages go where; the first that fits has a message';
const ORDER = '`key`: messages of one key one after the other; `none`: each for itself';
const SECRETS = 'Each of them is valid; each may be env:NAME or file:/path';

/** Of an endpoint, but for its name. */
const entryShape = {
  provider: z
    .enum(NAMES, `is one of ${NAMES.join(', ')}`)
    .meta({ description: 'Whose webhooks these are: how they are signed, read and answered' }),
  token: reference.meta({
    description: 'The second part of the path: 16 characters and more; or env:NAME, file:/path',
  }),
  secrets: z.array(reference, 'is a list of texts').default([]).meta({ description: SECRETS }),
  actor: z
    .string('is a text')
    .regex(/^[a-z][a-z0-9-]{0,62}$/, 'is the type of an actor: a-z, 0-9 and -')
    .optional()
    .meta({
      description:
        'The type of the actor that handles its messages; of the provider emp payment, when left out',
    }),
  networks: z
    .array(network, 'is a list of networks')
    .min(1, 'lists at least one network; leave it out to allow every address')
    .max(1000, 'takes at most 1000 networks')
    .optional()
    .meta({ description: 'Only these may send; left out, every address may' }),
  options: z.record(z.string(), z.unknown(), 'is a mapping').optional().meta({ description: OPTIONS }),
  routes: handlingShape.routes.removeDefault().optional().meta({ description: ROUTES }),
  order: handlingShape.order.removeDefault().optional().meta({ description: ORDER }),
  delaySeconds: handlingShape.delaySeconds
    .removeDefault()
    .optional()
    .meta({ description: 'Handled so much later than it came' }),
  bodyBytesMax: z
    .int('is a whole number of bytes')
    .min(1024, 'is at least 1024')
    .max(ENDPOINT_BODY_BYTES_MAX, `is at most ${ENDPOINT_BODY_BYTES_MAX}`)
    .optional()
    .meta({ description: `The longest body that is taken, in bytes; ${BODY_BYTES_MAX} when left out` }),
};

const entrySchema = z.strictObject(entryShape, 'is a mapping');
/** Its secrets may be references. */
const targetEntrySchema = targetSchemaWith(
  reference.meta({ description: 'whsec_ and the base64 of 24 to 64 bytes; or env:NAME, file:/path' }),
);
const namedEntrySchema = z.strictObject({ name: nameSchema, ...entryShape }, 'is a mapping');
/** As much of an entry as the checks of its provider need, whatever is wrong with the rest. */
const providedSchema = z.object({
  provider: z.enum(NAMES),
  secrets: z.array(z.string()).default([]),
  options: z.record(z.string(), z.unknown()).default({}),
  actor: z.unknown().optional(),
  routes: z.unknown().optional(),
  order: z.unknown().optional(),
  delaySeconds: z.unknown().optional(),
});

/** Entries are checked one by one: a mistake in one must not hide those of the others. */
const documentSchema = z.strictObject(
  {
    endpoints: z
      .array(z.unknown(), 'is a list of entries')
      .max(ENDPOINTS_MAX, `takes at most ${ENDPOINTS_MAX} entries`),
    targets: z
      .array(z.unknown(), 'is a list of entries')
      .max(TARGETS_MAX, `takes at most ${TARGETS_MAX} entries`)
      .default([]),
  },
  'is a mapping with the keys endpoints and targets',
);

type Entry = z.output<typeof entrySchema>;
/** References not followed. */
type TargetEntry = z.output<typeof targetEntrySchema>;

/** An entry, or everything that is wrong with it. */
function checkEntry<Checked extends Entry>(
  schema: z.ZodType<Checked>,
  given: unknown,
): { readonly entry: Checked } | { readonly issues: readonly z.core.$ZodIssue[] } {
  const checked = schema.safeParse(given);
  const more = providerIssues(given);
  if (checked.success && more.length === 0) return { entry: checked.data };
  return { issues: [...(checked.error?.issues ?? []), ...more] };
}

/** What depends on the provider: its options, and how many secrets there are. What a secret is, is seen when references are followed. */
function providerIssues(given: unknown): readonly z.core.$ZodIssue[] {
  const { data } = providedSchema.safeParse(given);
  const kind = data === undefined ? undefined : PROVIDERS.get(data.provider);
  if (data === undefined || kind === undefined) return [];
  const found: z.core.$ZodIssue[] = [];
  const say = (path: PropertyKey[], message: string) =>
    found.push({ code: 'custom', path, message, input: '' });
  const counted = countProblem(kind.secrets, data.secrets.length);
  if (counted !== undefined) say(['secrets'], counted);
  if (kind.envelope === 'webhook') {
    // The rest is of the entry's own schema: an actor may be one that takes no deliveries.
    found.push(...(handlingSchema.shape.actor.safeParse(data.actor).error?.issues ?? []).map(atActor));
  } else {
    for (const field of ['routes', 'order', 'delaySeconds'] as const)
      if (data[field] !== undefined) say([field], `is not for ${kind.name}: its messages go to its actor`);
  }
  for (const issue of kind.options.safeParse(data.options).error?.issues ?? []) {
    const path = ['options', ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) say(path, `${key} is not a field${didYouMean(key, kind.optionNames)}`);
    } else found.push({ ...issue, path });
  }
  return found;
}

function atActor(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  return { ...issue, path: ['actor', ...issue.path] };
}

/** The fields that there may be at a place of the file, to guess what a misspelt one means. */
function fieldsAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(documentSchema.shape);
  if (path[0] === 'targets') return targetFieldsAt(path.slice(2));
  return path.length === 2 ? ['name', ...Object.keys(entryShape)] : [];
}

/** JSON Schema of a whole file, for editors: each provider with its own options. */
function endpointsJsonSchema(): object {
  const entries = [...PROVIDERS].map(
    ([
      provider,
      {
        options,
        secrets: { min, max, what },
      },
    ]) => {
      const list = z
        .array(reference)
        .min(min)
        .max(max)
        .meta({ description: `${SECRETS}. Here: ${what}` });
      return z.strictObject({
        name: nameSchema,
        ...entryShape,
        provider: z.literal(provider).meta({ description: 'Whose webhooks these are' }),
        secrets: min === 0 ? list.optional() : list,
        // Left out, they are empty: which only some providers allow.
        options: options.safeParse({}).success ? options.optional() : options,
      });
    },
  );
  const schema = z.strictObject({
    endpoints: z.array(z.union(entries)).max(ENDPOINTS_MAX).meta({ description: 'Who may send webhooks' }),
    targets: z
      .array(targetEntrySchema)
      .max(TARGETS_MAX)
      .optional()
      .meta({ description: 'Where webhooks are forwarded to: routes name them as forward:<name>' }),
  });
  return { title: 'Endpoints of Tether', ...z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) };
}

export {
  checkEntry,
  documentSchema,
  ENDPOINTS_MAX,
  type Entry,
  endpointsJsonSchema,
  entrySchema,
  fieldsAt,
  namedEntrySchema,
  nameSchema,
  type TargetEntry,
  targetEntrySchema,
};
