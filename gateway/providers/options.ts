/**
 * Options that endpoints of several providers have in common, as zod schemas without transformations: what an endpoints file says is what is kept,
 * and an editor can be given the schema.
 */
import { z } from 'zod';
import { firstOf, HEADER_NAME, location, type Reader, readerOf } from './location.js';
import { malformed } from './proof.js';
import type { HeaderNames } from './reading.js';
import type { Sender } from './webhook-provider.js';

/** They say who somebody is, and what is kept is shown to people. */
const NEVER_KEPT: readonly string[] = ['authorization', 'proxy-authorization', 'cookie'];
const KEPT_MAX = 16;
const DAY_S = 86_400;

/** @param secret further headers that are not kept: those with a signature or a secret */
export function keepHeaders(...secret: readonly string[]) {
  const never = [...NEVER_KEPT, ...secret];
  return z
    .array(
      z
        .string('is a text')
        .regex(HEADER_NAME, 'is the name of a header')
        .refine((name) => !never.includes(name.toLowerCase()), 'is a header with a secret or a signature'),
      'is a list of headers',
    )
    .max(KEPT_MAX, `takes at most ${KEPT_MAX} headers`)
    .optional()
    .meta({ description: 'Headers that are kept with each message' });
}

export const toleranceSeconds = z
  .int('is a whole number of seconds')
  .min(1, 'is at least 1')
  .max(DAY_S, `is at most ${DAY_S}`)
  .default(300)
  .meta({ description: 'How old, or how far ahead, the timestamp of a signature may be' });

export const places = {
  key: location
    .optional()
    .meta({ description: 'Where it says what a message is about: those of one key are in order' }),
  type: location.optional().meta({ description: 'Where it says what happened' }),
  id: z
    .union([z.literal('digest'), location], 'is a header, a place in the JSON, or digest')
    .optional()
    .meta({ description: 'Where the id of the message is; digest: the SHA-256 of the body stands for it' }),
};

export interface Places {
  readonly key?: string | undefined;
  readonly type?: string | undefined;
  readonly id?: string | undefined;
}

/** Where a sender writes them; tried in order. */
export interface UsualPlaces {
  readonly key: readonly string[];
  readonly type: readonly string[];
  readonly id: readonly string[];
}

const NOT_JSON = malformed('the body is not JSON');

/**
 * The one message that a request is.
 * @param jsonOnly what is not JSON is refused; else it has no places in it
 */
export function oneMessage(
  { key, type, id }: Places,
  usual: UsualPlaces,
  names: HeaderNames,
  jsonOnly: boolean,
): Sender['messages'] {
  const readKey = reader(key, usual.key, names);
  const readType = reader(type, usual.type, names);
  const readId = id === 'digest' ? () => '' : reader(id, usual.id, names);
  const contentType = names.position('content-type');
  return (reading) => {
    if (jsonOnly && reading.json() === undefined) return NOT_JSON;
    return [
      {
        type: readType(reading),
        id: readId(reading),
        key: readKey(reading),
        body: reading.body,
        contentType: reading.header(contentType),
      },
    ];
  };
}

function reader(given: string | undefined, usual: readonly string[], names: HeaderNames): Reader {
  return given === undefined ? firstOf(usual, names) : readerOf(given, names);
}
