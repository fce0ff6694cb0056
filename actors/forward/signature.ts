/**
 * How a delivery says whose it is, by Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA-256 over id, time and body, once with each
 * secret, so that a secret is changed without a delivery that the receiver cannot verify.
 */
import { createHash, createHmac } from 'node:crypto';

interface Signed {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

/** The same for a message however often it is delivered, and for no other: what a receiver knows a repeat by. */
export function webhookId(dedupe: string): string {
  return `msg_${createHash('sha256').update(dedupe).digest('hex').slice(0, 32)}`;
}

export function sign(id: string, nowMs: number, body: Uint8Array, secrets: readonly Buffer[]): Signed {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signatures = secrets.map(
    (secret) =>
      `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
