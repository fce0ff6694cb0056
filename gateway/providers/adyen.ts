/**
 * Adyen's standard webhooks: `notificationItems`, each with a signature of its own within it (`additionalData.hmacSignature`), by HMAC-SHA-256 of
 * eight of its fields. The answer is `[accepted]`.
 *
 * What that means here:
 * - A request is taken as a whole: when the signature of one item is wrong, nothing of it is a message.
 * - Each item is a message of its own, see `events.ts`. Its key is the payment: `originalReference` of what happens to one later, else
 *   `pspReference`. Its id is `pspReference:eventCode:success`, which repeats have in common, and which is signed.
 * - The fields are signed with a colon between them and nothing escaped, so a colon within a field could be moved into its neighbour under the
 *   same signature. Only `merchantReference`, which the merchant chooses, may hold one: then there is one way to read what was signed.
 * - The rest of an item is not signed: `reason`, `eventDate`, `paymentMethod`, all of `additionalData`.
 */
import { z } from 'zod';
import { eventMessage, eventsOf } from './events.js';
import { type ProviderSetup, providerKind } from './kind.js';
import { keepHeaders } from './options.js';
import { forged, malformed, NO_PROOF } from './proof.js';
import type { Refused } from './provider.js';
import { HeaderNames, member, memberAt, type Reading, textOf } from './reading.js';
import { HmacKey, type SigningKey } from './signing-key.js';
import { type SenderMessage, WebhookProvider } from './webhook-provider.js';

const NAME = 'adyen';
const KEY = /^[0-9A-Fa-f]{64}$/;

const NO_SIGNATURE = forged('an item has no hmacSignature');
const FORGED = forged('the signature of an item is not that of its fields');
const AMBIGUOUS = forged('a signed field other than merchantReference holds a colon');
const UNFIT = malformed('an item has no pspReference or no eventCode, or a value that is no id');

const schema = z.strictObject({ keepHeaders: keepHeaders() }, 'is a mapping');

export const adyen = providerKind({
  name: NAME,
  options: schema,
  secrets: { what: 'the HMAC key of the webhook, 64 hex digits' },
  secretProblem: (secret) => (KEY.test(secret) ? undefined : 'is 64 hex digits'),
  create({ endpoint, secrets, options, order }: ProviderSetup<z.output<typeof schema>>) {
    const keys = secrets.map(
      (secret) => new HmacKey(Buffer.from(secret, 'hex'), { algorithm: 'sha256', encoding: 'base64' }),
    );
    return new WebhookProvider(
      {
        provider: NAME,
        mediaTypes: ['application/json'],
        proof: NO_PROOF,
        answer: { mediaType: 'text/plain', body: '[accepted]' },
        messages: (reading) => messagesOf(reading, keys),
      },
      new HeaderNames(),
      { endpoint, order, keepHeaders: options.keepHeaders ?? [] },
    );
  },
});

function messagesOf(reading: Reading, keys: readonly SigningKey[]): readonly SenderMessage[] | Refused {
  const items = eventsOf(reading, 'notificationItems');
  if ('outcome' in items) return items;
  const messages: SenderMessage[] = [];
  for (const each of items) {
    const message = messageOf(member(each, 'NotificationRequestItem'), keys);
    if ('outcome' in message) return message;
    messages.push(message);
  }
  return messages;
}

function messageOf(item: unknown, keys: readonly SigningKey[]): SenderMessage | Refused {
  const signature = memberAt(item, ['additionalData', 'hmacSignature']);
  if (typeof signature !== 'string' || signature === '') return NO_SIGNATURE;
  const psp = signedText(member(item, 'pspReference'));
  const original = signedText(member(item, 'originalReference'));
  const event = signedText(member(item, 'eventCode'));
  const success = signedText(member(item, 'success'));
  const before = [psp, original, signedText(member(item, 'merchantAccountCode'))];
  const after = [
    signedText(memberAt(item, ['amount', 'value'])),
    signedText(memberAt(item, ['amount', 'currency'])),
    event,
    success,
  ];
  const reference = signedText(member(item, 'merchantReference'));
  const signed = [...before, reference, ...after].join(':');
  if (!keys.some((key) => key.signs([signed], [signature]))) return FORGED;
  if ([...before, ...after].some((text) => text.includes(':'))) return AMBIGUOUS;
  const id = textOf(`${psp}:${event}:${success}`);
  if (psp === '' || event === '' || id === '') return UNFIT;
  return eventMessage(item, { id, type: event, key: textOf(original) || psp });
}

/** As Adyen writes a field among the signed ones; what is absent is empty. */
function signedText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}
