/**
 * A target of the forwarding actor as it is written in the file of endpoints: where webhooks go, how they are signed, and how hard the target
 * may be tried. The same schema checks the file, an entry that comes by the API, and the settings of the actor.
 */
import { z } from 'zod';
import { parseNetwork } from './addresses.js';

export const TARGETS_MAX = 1_000;
const URL_CHARS_MAX = 2_000;
const SECRETS_MAX = 16;
const HEADERS_MAX = 32;
const NETWORKS_MAX = 100;
const DAY_SECONDS = 86_400;
/** Standard Webhooks asks for 24 to 64 bytes. */
const SECRET_BYTES = { min: 24, max: 64 };

/** Ours to set, or of the connection. */
const OWN_HEADERS =
  /^(host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|content-length|content-type|webhook-.*|tether-.*|traceparent|tracestate)$/;

const url = z
  .string('is a text')
  .max(URL_CHARS_MAX, 'is too long')
  .superRefine((text, context) => {
    const problem = problemOf(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .meta({ description: 'Where webhooks are posted: http or https, without user and password' });

const secret = z
  .string('is a text')
  .refine((text) => isSecret(text), { message: 'is whsec_ and the base64 of 24 to 64 bytes' })
  .meta({ description: 'whsec_ and the base64 of 24 to 64 bytes' });

const network = z
  .string('is a text')
  .refine((text) => parseNetwork(text) !== undefined, { message: 'is a network such as 10.1.0.0/16' });

const headers = z
  .record(
    z
      .string()
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'is no name of a header')
      .refine((name) => !OWN_HEADERS.test(name.toLowerCase()), { message: 'is a header of Tether' }),
    z.string().regex(/^[\t\x20-\x7e]{0,4000}$/, 'is no value of a header'),
  )
  .refine((all) => Object.keys(all).length <= HEADERS_MAX, {
    message: `takes at most ${HEADERS_MAX} headers`,
  })
  .default({})
  .meta({ description: 'Sent with each delivery' });

const retryShape = z.strictObject({
  delaySeconds: z.number().min(1).max(3_600).default(5),
  delaySecondsMax: z.number().min(1).max(DAY_SECONDS).default(3_600),
  totalSeconds: z
    .number()
    .min(0)
    .max(30 * DAY_SECONDS)
    .default(3 * DAY_SECONDS)
    .meta({ description: 'After the first attempt; then the delivery is a dead letter' }),
  final: z
    .array(z.int().min(400).max(499))
    .max(100)
    .default([400, 410, 413, 415, 422])
    .meta({ description: 'Statuses at which it is a dead letter at once' }),
});

const breakerShape = z.strictObject({
  failures: z
    .int()
    .min(1)
    .max(1_000)
    .default(10)
    .meta({ description: 'In a row, after which the target rests' }),
  restSeconds: z.number().min(1).max(3_600).default(30),
  restSecondsMax: z.number().min(1).max(DAY_SECONDS).default(600),
});

/** @param secret in a file it may be a reference that was not followed yet (`env:NAME`), which has another form */
export function targetSchemaWith<Secret extends z.ZodType<string>>(secret: Secret) {
  return z.strictObject({
    name: z
      .string('is a text')
      .regex(/^[a-z][a-z0-9-]{0,62}$/, 'is 1 to 63 of a-z, 0-9 and -, first a letter')
      .meta({ description: 'Unique; routes name it as forward:<name>' }),
    url,
    secrets: z
      .array(secret)
      .min(1, 'needs at least one secret')
      .max(SECRETS_MAX)
      .meta({ description: 'Deliveries are signed with each of them' }),
    timeoutMs: z
      .int()
      .min(100)
      .max(60_000)
      .default(15_000)
      .meta({ description: 'Of one attempt, from first to last byte' }),
    concurrency: z.int().min(1).max(1_000).default(10).meta({ description: 'Attempts at once' }),
    ratePerSecond: z
      .number()
      .min(0.01)
      .max(100_000)
      .optional()
      .meta({ description: 'Attempts that begin in a second; left out, as many as there are' }),
    burst: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .meta({ description: 'After a pause; default: those of a second' }),
    headers,
    allowPrivate: z
      .array(network)
      .max(NETWORKS_MAX)
      .default([])
      .meta({ description: 'Networks that are not public and may be connected to all the same' }),
    ca: z.array(z.string().min(1).max(100_000)).max(10).optional().meta({
      description:
        'Certificates (PEM) of the authorities that are trusted, in place of those that Node trusts',
    }),
    retry: retryShape
      .prefault({})
      .meta({ description: 'When a delivery that failed is tried again, and for how long' }),
    breaker: breakerShape
      .prefault({})
      .meta({ description: 'When a target that fails again and again rests' }),
  });
}

export const targetSchema = targetSchemaWith(secret);

/** The fields that there may be at a place within a target. */
export function targetFieldsAt([part, ...more]: readonly PropertyKey[]): readonly string[] {
  if (part === undefined) return Object.keys(targetSchema.shape);
  if (more.length > 0) return [];
  if (part === 'retry') return Object.keys(retryShape.shape);
  return part === 'breaker' ? Object.keys(breakerShape.shape) : [];
}

export type TargetSettings = z.input<typeof targetSchema>;
export type FilledTarget = Readonly<z.output<typeof targetSchema>>;

/** @throws TypeError when `secret` is none */
export function secretBytes(secret: string): Buffer {
  if (!isSecret(secret)) throw new TypeError('is no secret of Standard Webhooks');
  return Buffer.from(secret.slice('whsec_'.length), 'base64');
}

function isSecret(text: string): boolean {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1];
  if (base64 === undefined) return false;
  const { length } = Buffer.from(base64, 'base64');
  return length >= SECRET_BYTES.min && length <= SECRET_BYTES.max;
}

/** Addresses are judged when a connection is made, with the networks that are allowed: here only what no settings can allow. */
function problemOf(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is no URL';
  const { protocol, username, password, hash, port } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') return 'is a URL of http or https';
  if (username !== '' || password !== '') return 'has no user and password: use headers';
  if (hash !== '') return 'has no fragment';
  return port === '0' ? 'has no port 0' : undefined;
}
