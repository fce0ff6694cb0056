/**
 * Any sender that signs by HMAC, described by the endpoint's options: where the signature is, how it is written, what is signed.
 *
 * `signed` is a template: `{body}`, `{timestamp}`, `{header:x-name}`, and anything between them as it stands.
 */
import { z } from 'zod';
import { genericOptions, genericProvider } from './generic.js';
import { type ProviderSetup, providerKind } from './kind.js';
import { headerLocation, headerOf } from './location.js';
import { keepHeaders, places, toleranceSeconds } from './options.js';
import { HeaderNames } from './reading.js';
import { SignatureProof, type SignatureScheme, type SignedPart } from './signature-proof.js';
import { HmacKey } from './signing-key.js';

const NAME = 'hmac';
const ITEM = /^item:[A-Za-z0-9_-]{1,32}$/;
const PLACEHOLDER = /\{(body|timestamp|header:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})\}/;
const HEX = /^(?:[0-9A-Fa-f]{2})+$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const schema = z
  .strictObject(
    {
      signature: headerLocation,
      algorithm: z.enum(['sha256', 'sha1', 'sha512'], 'is sha256, sha1 or sha512').default('sha256'),
      encoding: z
        .enum(['hex', 'base64', 'base64url'], 'is hex, base64 or base64url')
        .default('hex')
        .meta({ description: 'Of the signature' }),
      secretEncoding: z
        .enum(['text', 'hex', 'base64'], 'is text, hex or base64')
        .default('text')
        .meta({ description: 'What the secrets are written in' }),
      prefix: z
        .string('is a text')
        .max(32, 'has at most 32 characters')
        .default('')
        .meta({ description: 'What stands before the signature, such as sha256=' }),
      item: z
        .string('is a text')
        .regex(/^[A-Za-z0-9_-]{1,32}$/, 'is the name of an item, such as v1')
        .optional()
        .meta({ description: 'The header is a list such as t=…,v1=…; this item is the signature' }),
      signed: z
        .string('is a text')
        .max(256, 'has at most 256 characters')
        .default('{body}')
        .meta({ description: 'What is signed: a text with {body}, {timestamp} and {header:x-name}' }),
      timestamp: z
        .union(
          [headerLocation, z.string().regex(ITEM)],
          'is a header, such as header:x-timestamp, or an item of the signature, such as item:t',
        )
        .optional(),
      timestampUnit: z
        .enum(['seconds', 'milliseconds', 'iso'], 'is seconds, milliseconds or iso')
        .default('seconds'),
      toleranceSeconds,
      ...genericOptions,
      ...places,
      keepHeaders: keepHeaders(),
    },
    'is a mapping',
  )
  .superRefine((options, context) => {
    for (const [path, message] of contradictions(options)) {
      context.addIssue({ code: 'custom', path: [path], message });
    }
  });

interface Described {
  readonly signature: string;
  readonly prefix: string;
  readonly item?: string | undefined;
  readonly signed: string;
  readonly timestamp?: string | undefined;
  readonly keepHeaders?: readonly string[] | undefined;
}

/** What each option for itself cannot know. */
function contradictions(options: Described): readonly (readonly [option: string, message: string])[] {
  const { signature, prefix, item, signed, timestamp } = options;
  const parts = partsOf(signed);
  const count = (name: SignedPart['part']) => parts.filter(({ part }) => part === name).length;
  const found: [string, string][] = [];
  if (count('body') !== 1) found.push(['signed', 'holds {body} once']);
  // An unsigned timestamp is what a forger makes it.
  if (timestamp !== undefined && count('timestamp') === 0)
    found.push(['signed', 'holds {timestamp}, or it proves nothing']);
  if (timestamp === undefined && count('timestamp') > 0)
    found.push(['timestamp', 'is missing: signed holds {timestamp}']);
  if (parts.some((part) => part.part === 'literal' && /[{}]/.test(part.text))) {
    found.push(['signed', 'has braces around body, timestamp and header:x-name only']);
  }
  if (item !== undefined && prefix !== '') found.push(['prefix', 'is not for a list of items']);
  if (timestamp?.startsWith('item:') === true && item === undefined)
    found.push(['item', 'is missing: the timestamp is an item']);
  if (options.keepHeaders?.some((name) => name.toLowerCase() === headerOf(signature)) === true) {
    found.push(['keepHeaders', 'names the header with the signature']);
  }
  return found;
}

export const hmac = providerKind({
  name: NAME,
  options: schema,
  secrets: { what: 'a signing secret' },
  secretProblem(secret, { secretEncoding }) {
    if (secretEncoding === 'hex' && !HEX.test(secret)) return 'is hex digits, two for each byte';
    return secretEncoding === 'base64' && !BASE64.test(secret) ? 'is base64' : undefined;
  },
  create({ endpoint, secrets, options, order }: ProviderSetup<z.output<typeof schema>>) {
    const names = new HeaderNames();
    const { algorithm, encoding, item = '', secretEncoding } = options;
    const keys = secrets.map(
      (secret) =>
        new HmacKey(Buffer.from(secret, secretEncoding === 'text' ? 'utf8' : secretEncoding), {
          item,
          algorithm,
          encoding,
        }),
    );
    const proof = new SignatureProof(schemeOf(options), keys, names);
    return genericProvider(NAME, proof, names, options, { endpoint, order });
  },
});

function schemeOf(options: z.output<typeof schema>): SignatureScheme {
  const { signature, prefix, item, signed, timestamp, timestampUnit, toleranceSeconds } = options;
  return {
    header: headerOf(signature),
    form: item === undefined ? { prefix } : { items: { separator: ',', assign: '=' } },
    signed: partsOf(signed),
    ...(timestamp === undefined
      ? {}
      : {
          timestamp: {
            from: timestamp.startsWith('item:')
              ? { item: timestamp.slice('item:'.length) }
              : { header: headerOf(timestamp) },
            unit: timestampUnit,
            toleranceSeconds,
          },
        }),
  };
}

/** The parts of a template, in order. */
export function partsOf(template: string): readonly SignedPart[] {
  // Split at a group: every second piece is what stood between braces.
  return template.split(PLACEHOLDER).flatMap((text, index): readonly SignedPart[] => {
    if (index % 2 === 0) return text === '' ? [] : [{ part: 'literal', text }];
    if (text === 'body' || text === 'timestamp') return [{ part: text }];
    return [{ part: 'header', name: headerOf(text) }];
  });
}
