/** What the providers `hmac`, `basic`, `api-key` and `none` have in common: any body, places by options alone, an answer by options. */
import { z } from 'zod';
import { oneMessage, type Places } from './options.js';
import type { Proof } from './proof.js';
import type { HeaderNames } from './reading.js';
import { WebhookProvider, type WebhookProviderOptions } from './webhook-provider.js';

const ANSWER_MAX = 1024;
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]{1,64}\/[a-z0-9!#$&^_.+-]{1,64}$/;

const mediaType = z
  .string('is a text')
  .regex(MEDIA_TYPE, 'is a media type, in lower case and without parameters');

export const genericOptions = {
  mediaTypes: z
    .array(mediaType, 'is a list of media types')
    .min(1, 'lists at least one media type; leave it out to take any')
    .max(16, 'takes at most 16 media types')
    .optional()
    .meta({ description: 'The media types that are taken; any when left out' }),
  answer: z
    .strictObject(
      {
        body: z.string('is a text').max(ANSWER_MAX, `has at most ${ANSWER_MAX} characters`),
        mediaType: mediaType.default('text/plain'),
      },
      'is a mapping of body and mediaType',
    )
    .optional()
    .meta({ description: 'What the sender wants to hear; an empty body when left out' }),
};

interface GenericOptions extends Places {
  readonly mediaTypes?: readonly string[] | undefined;
  readonly answer?: { readonly body: string; readonly mediaType: string } | undefined;
  readonly keepHeaders?: readonly string[] | undefined;
}

const NOWHERE = { id: [], type: [], key: [] };

export function genericProvider(
  provider: string,
  proof: Proof,
  names: HeaderNames,
  options: GenericOptions,
  { endpoint, order }: Omit<WebhookProviderOptions, 'keepHeaders'>,
): WebhookProvider {
  return new WebhookProvider(
    {
      provider,
      mediaTypes: options.mediaTypes ?? [],
      proof,
      answer: options.answer ?? { body: '', mediaType: 'text/plain' },
      messages: oneMessage(options, NOWHERE, names, false),
    },
    names,
    { endpoint, order, keepHeaders: options.keepHeaders ?? [] },
  );
}
