/** What the forwarding actor is sent: deliveries, and its own reminder that some are due. */
import type { Envelope } from '../../runtime/envelope.js';
import { Codec } from '../../runtime/kernel/codec.js';
import type { WebhookDelivery } from '../webhook/delivery.js';
import { ForwardMessageError } from './errors.js';

/** Those that wait for the key may be tried. */
export interface Due {
  readonly type: 'due';
}

export type ForwardMessage = WebhookDelivery | Due;

/** Of a key `<target>:<endpoint>:<key>`. All keys of a target are one group. */
export function targetOf(key: string): string {
  const end = key.indexOf(':');
  return end < 0 ? key : key.slice(0, end);
}

/** @throws ForwardMessageError */
export function checkedDelivery(key: string, body: unknown): WebhookDelivery {
  const { type, target, endpoint, kind, contentType, body: bytes } = Object(body) as Partial<WebhookDelivery>;
  if (type !== 'webhook' || !(bytes instanceof Uint8Array)) {
    throw new ForwardMessageError('the message is no webhook');
  }
  if ([endpoint, kind, contentType].some((text) => typeof text !== 'string')) {
    throw new ForwardMessageError('the message is a webhook without what it needs');
  }
  if (target !== targetOf(key)) {
    throw new ForwardMessageError('the message is for another target than its key names');
  }
  return body as WebhookDelivery;
}

/** No actor's address is ever in one. */
const codec = new Codec(() => {
  throw new ForwardMessageError('the message holds an address');
});

/** Of a delivery that waited. @throws ForwardMessageError, BodyError */
export function deliveryOf({ key, payload }: Pick<Envelope, 'key' | 'payload'>): WebhookDelivery {
  return checkedDelivery(key, codec.unpack(payload));
}
