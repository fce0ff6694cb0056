/** Senders of webhooks, each signing as it does, where there is one by its own library; and the endpoints that take them. */
import { createHmac, randomUUID } from 'node:crypto';
import { sign as signAsGithub } from '@octokit/webhooks-methods';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';

export const TOKEN = 'a-path-token-of-some-length';
/** Of each endpoint; none may show in a log. */
export const SECRETS = {
  stripe: 'whsec_stripe_made_up',
  github: 'github-secret-made-up',
  partner: `whsec_${Buffer.alloc(32, 5).toString('base64')}`,
  own: 'own-secret-made-up',
  slack: 'slack-secret-made-up',
  gocardless: 'gocardless-secret-made-up',
} as const;

export type SenderName = keyof typeof SECRETS;

/** Entries of the endpoints file, but for what becomes of the messages. */
export const SENDERS: Readonly<Record<SenderName, object>> = {
  stripe: { provider: 'stripe', options: { key: 'body:/data/object/customer' } },
  github: { provider: 'github', bodyBytesMax: 1_048_576 },
  partner: { provider: 'standard-webhooks' },
  own: {
    provider: 'hmac',
    options: { signature: 'header:x-signature', key: 'body:/account', id: 'body:/id', type: 'body:/event' },
  },
  slack: { provider: 'slack' },
  gocardless: { provider: 'gocardless' },
};

export function entryOf(name: SenderName, more: object): object {
  return { name, token: TOKEN, secrets: [SECRETS[name]], ...SENDERS[name], ...more };
}

export interface Signed {
  readonly endpoint: SenderName;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const { webhooks } = new Stripe('sk_test_made_up');

export function stripeEvent(
  id: string,
  customer: string,
  fields: object = {},
  type = 'invoice.paid',
): Signed {
  const body = JSON.stringify({ id, type, data: { object: { object: 'invoice', customer, ...fields } } });
  const signature = webhooks.generateTestHeaderString({ payload: body, secret: SECRETS.stripe });
  return { endpoint: 'stripe', headers: { ...JSON_TYPE, 'stripe-signature': signature }, body };
}

export async function githubEvent(id: string, repository: string, fields: object = {}): Promise<Signed> {
  const body = JSON.stringify({ repository: { full_name: repository }, ...fields });
  const headers = {
    ...JSON_TYPE,
    'x-github-event': 'push',
    'x-github-delivery': id,
    'x-hub-signature-256': await signAsGithub(SECRETS.github, body),
  };
  return { endpoint: 'github', headers, body };
}

export function partnerEvent(id: string, about: string): Signed {
  const at = new Date();
  const body = JSON.stringify({ type: 'contact.created', timestamp: at.toISOString(), data: { id: about } });
  const headers = {
    ...JSON_TYPE,
    'webhook-id': id,
    'webhook-timestamp': `${Math.floor(at.getTime() / 1_000)}`,
    'webhook-signature': new Webhook(SECRETS.partner).sign(id, at, body),
  };
  return { endpoint: 'partner', headers, body };
}

export function ownEvent(id: string, account: string): Signed {
  const body = JSON.stringify({ id, account, event: 'moved' });
  const signature = createHmac('sha256', SECRETS.own).update(body).digest('hex');
  return { endpoint: 'own', headers: { ...JSON_TYPE, 'x-signature': signature }, body };
}

export function slackRequest(fields: object): Signed {
  const body = JSON.stringify(fields);
  const at = `${Math.floor(Date.now() / 1_000)}`;
  const signature = createHmac('sha256', SECRETS.slack).update(`v0:${at}:${body}`).digest('hex');
  const headers = { ...JSON_TYPE, 'x-slack-request-timestamp': at, 'x-slack-signature': `v0=${signature}` };
  return { endpoint: 'slack', headers, body };
}

/** Several events in one request. */
export function gocardlessEvents(events: readonly (readonly [id: string, payment: string])[]): Signed {
  const body = JSON.stringify({
    events: events.map(([id, payment]) => ({
      id,
      resource_type: 'payments',
      action: 'paid_out',
      links: { payment },
    })),
  });
  const signature = createHmac('sha256', SECRETS.gocardless).update(body).digest('hex');
  return { endpoint: 'gocardless', headers: { ...JSON_TYPE, 'webhook-signature': signature }, body };
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** The same with another body: no signature fits. */
export function forged(signed: Signed): Signed {
  return { ...signed, body: signed.body.replace(/}$/, `,"forged":"${randomUUID()}"}`) };
}

export async function post(url: string, { endpoint, headers, body }: Signed): Promise<Response> {
  return fetch(`${url}/webhooks/${endpoint}/${TOKEN}`, { method: 'POST', headers, body });
}

/** A module of a user's: each webhook that it is handed is a row, in the order of coming, once. */
export const EFFECTS_MODULE = `
import pg from 'pg';
import { defineActor } from 'tether';

export default defineActor({
  type: 'effects',
  scope: 'thread',
  async open({ settings }) {
    const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: 2 });
    pool.on('error', () => {});
    await pool.query(\`CREATE TABLE IF NOT EXISTS effects (seq bigserial PRIMARY KEY, dedupe text UNIQUE, key text, kind text,
      headers jsonb, body text)\`);
    return pool;
  },
  close: (pool) => pool.end(),
  async receive(messages, { resources: pool }) {
    const client = await pool.connect();
    client.on('error', () => {});
    try {
      await client.query('BEGIN');
      for (const { dedupe, key, body } of messages) {
        await client.query(
          'INSERT INTO effects (dedupe, key, kind, headers, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (dedupe) DO NOTHING',
          [dedupe, key, body.kind, body.headers, Buffer.from(body.body).toString()],
        );
      }
      await client.query('COMMIT');
      client.release();
    } catch (error) {
      client.release(error);
      throw error;
    }
  },
});
`;
