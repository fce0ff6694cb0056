/** Signed webhooks of each provider, all with about the same event in them, for what a provider costs beside EMP. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { DEFAULT_ENDPOINT } from '../../deploy/endpoint.js';
import { empTraffic } from '../../deploy/send/emp-traffic.js';
import type { Endpoint } from '../../gateway/index.js';

export interface ProviderLoad {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Headers beside Host and Content-Length, in lower case, and the body. */
  readonly requests: readonly ProviderRequest[];
}

export interface ProviderRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const SECRET = 'made-up-secret-of-a-benchmark';
const DAY_S = 86_400;
const JSON_TYPE = 'application/json';

const hmac = (content: string, encoding: 'hex' | 'base64', key: string | Buffer = SECRET) =>
  createHmac('sha256', key).update(content).digest(encoding);

/** Of about 450 bytes, as a notification of EMP. */
function eventOf(n: number): string {
  return JSON.stringify({
    id: `evt_${n}`,
    type: 'payment.captured',
    created: 1_760_000_000 + n,
    data: { object: { id: `pay_${n % 5000}`, amount: 4999, currency: 'EUR', status: 'captured' } },
    note: 'x'.repeat(280),
  });
}

/** @param nowS seconds since the epoch: what is signed is good for a day */
export function providerLoads(count: number, nowS: number): readonly ProviderLoad[] {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64');
  const hmacBytes = Buffer.alloc(24, 7);
  const tolerance = { toleranceSeconds: DAY_S };
  const standard = (signature: (content: string) => string) => (body: string, n: number) => ({
    'webhook-id': `msg_${n}`,
    'webhook-timestamp': `${nowS}`,
    'webhook-signature': signature(`msg_${n}.${nowS}.${body}`),
  });
  const load = (
    name: string,
    endpoint: Pick<Endpoint, 'provider' | 'secrets' | 'options'>,
    headersOf: (body: string, n: number) => Readonly<Record<string, string>>,
    bodyOf = eventOf,
  ): ProviderLoad => ({
    name,
    endpoint: { name: name.replaceAll(/[^a-z0-9]+/g, '-'), token: 'bench', ...endpoint },
    requests: Array.from({ length: count }, (_, n) => {
      const body = bodyOf(n);
      return { body, headers: { 'content-type': JSON_TYPE, ...headersOf(body, n) } };
    }),
  });
  return [
    empLoad(count),
    load('none', { provider: 'none', secrets: [], options: { unsigned: true } }, () => ({})),
    load('api-key', { provider: 'api-key', secrets: [SECRET] }, () => ({ 'x-api-key': SECRET })),
    load('basic', { provider: 'basic', secrets: [`u:${SECRET}`] }, () => ({
      authorization: `Basic ${Buffer.from(`u:${SECRET}`).toString('base64')}`,
    })),
    load(
      'hmac',
      { provider: 'hmac', secrets: [SECRET], options: { signature: 'header:x-sign' } },
      (body) => ({ 'x-sign': hmac(body, 'hex') }),
    ),
    load('stripe', { provider: 'stripe', secrets: [`whsec_${SECRET}`], options: tolerance }, (body) => ({
      'stripe-signature': `t=${nowS},v1=${hmac(`${nowS}.${body}`, 'hex', `whsec_${SECRET}`)}`,
    })),
    load('github', { provider: 'github', secrets: [SECRET] }, (body, n) => ({
      'x-hub-signature-256': `sha256=${hmac(body, 'hex')}`,
      'x-github-event': 'push',
      'x-github-delivery': `d-${n}`,
    })),
    load('shopify', { provider: 'shopify', secrets: [SECRET] }, (body, n) => ({
      'x-shopify-hmac-sha256': hmac(body, 'base64'),
      'x-shopify-topic': 'orders/paid',
      'x-shopify-shop-domain': 'made-up.myshopify.com',
      'x-shopify-webhook-id': `w-${n}`,
    })),
    load('slack', { provider: 'slack', secrets: [SECRET], options: tolerance }, (body) => ({
      'x-slack-request-timestamp': `${nowS}`,
      'x-slack-signature': `v0=${hmac(`v0:${nowS}:${body}`, 'hex')}`,
    })),
    load('gocardless', { provider: 'gocardless', secrets: [SECRET] }, gocardlessHeaders, (n) =>
      JSON.stringify({
        events: [
          {
            id: `EV${n}`,
            resource_type: 'payments',
            action: 'paid_out',
            links: { payment: `PM${n % 5000}` },
            note: 'x'.repeat(320),
          },
        ],
      }),
    ),
    load(
      'adyen',
      { provider: 'adyen', secrets: [hmacBytes.toString('hex').padEnd(64, '0')] },
      () => ({}),
      (n) => adyenBody(n, Buffer.from(hmacBytes.toString('hex').padEnd(64, '0'), 'hex')),
    ),
    load(
      'standard-webhooks, HMAC',
      {
        provider: 'standard-webhooks',
        secrets: [`whsec_${hmacBytes.toString('base64')}`],
        options: tolerance,
      },
      standard((content) => `v1,${hmac(content, 'base64', hmacBytes)}`),
    ),
    load(
      'standard-webhooks, Ed25519',
      { provider: 'standard-webhooks', secrets: [`whpk_${raw}`], options: tolerance },
      standard((content) => `v1a,${sign(null, Buffer.from(content), privateKey).toString('base64')}`),
    ),
  ];
}

function empLoad(count: number): ProviderLoad {
  const [password = ''] = DEFAULT_ENDPOINT.secrets;
  const traffic = empTraffic({ seed: 20_261_126, count, password, kinds: ['processing'] });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return {
    name: 'emp',
    endpoint: DEFAULT_ENDPOINT,
    requests: Array.from(traffic, ({ body }) => ({ headers, body })),
  };
}

function gocardlessHeaders(body: string): Readonly<Record<string, string>> {
  return { 'webhook-signature': hmac(body, 'hex') };
}

function adyenBody(n: number, key: Buffer): string {
  const item = {
    amount: { value: 4999, currency: 'EUR' },
    eventCode: 'CAPTURE',
    merchantAccountCode: 'MadeUp',
    merchantReference: `order-${n}`,
    originalReference: `P${n % 5000}`,
    pspReference: `C${n}`,
    success: 'true',
  };
  const signed = `${item.pspReference}:${item.originalReference}:MadeUp:${item.merchantReference}:4999:EUR:CAPTURE:true`;
  const additionalData = { hmacSignature: hmac(signed, 'base64', key), note: 'x'.repeat(150) };
  const NotificationRequestItem = { ...item, additionalData };
  return JSON.stringify({ live: 'false', notificationItems: [{ NotificationRequestItem }] });
}
