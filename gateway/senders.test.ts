/** Webhooks of senders other than EMP over a socket: signed by the sender's own library, and out of the log again. */
import { createHmac } from 'node:crypto';
import Stripe from 'stripe';
import t, { type Test } from 'tap';
import { decodeWebhook } from '../actors/webhook/message.js';
import { LogFullError } from '../runtime/errors.js';
import { partitionOf } from '../runtime/partition.js';
import { until } from '../runtime/testing/until.js';
import type { EndpointCounts } from './metrics.js';
import { startTestGateway } from './test/start.js';

const { webhooks } = new Stripe('sk_test_made_up');
const NOW = 1_760_000_000_123;
const JSON_TYPE = 'Content-Type: application/json';
const SECRETS = { stripe: 'whsec_made_up', slack: 'slack-secret', gocardless: 'gocardless-secret' };

async function start(t: Test, partitionCount = 1) {
  const endpoint = (provider: keyof typeof SECRETS) => ({
    name: `my-${provider}`,
    provider,
    token: 'dev',
    secrets: [SECRETS[provider]],
  });
  const endpoints = [endpoint('stripe'), endpoint('slack'), endpoint('gocardless')];
  const started = await startTestGateway(t, { endpoints, partitionCount, now: () => NOW });
  const post = (name: string, body: string, headers: readonly string[]) =>
    started.ask({ method: 'POST', path: `/webhooks/${name}/dev`, headers, body });
  return { ...started, post };
}

const stripeHeader = (payload: string, timestamp = Math.floor(NOW / 1000)) =>
  `Stripe-Signature: ${webhooks.generateTestHeaderString({ payload, secret: SECRETS.stripe, timestamp })}`;
const gocardlessHeaders = (body: string) => [
  JSON_TYPE,
  `Webhook-Signature: ${createHmac('sha256', SECRETS.gocardless).update(body).digest('hex')}`,
];

/** What was counted, without what was not. */
function counted(counts: EndpointCounts): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

t.test('a webhook of Stripe is on the log as the actor webhook wants it', async (t) => {
  const { gateway, partition, metrics, post } = await start(t);
  const body = '{"id":"evt_1","type":"invoice.paid","data":{"object":{"id":"in_1"}}}';
  const answer = await post('my-stripe', body, [
    'content-type: application/json; charset=utf-8',
    stripeHeader(body),
  ]);
  t.match(answer, {
    status: 200,
    headers: { 'content-type': 'text/plain', 'content-length': '0' },
    body: '',
  });
  t.match(partition.envelopes, [
    { actor: 'webhook', key: 'my-stripe:in_1', dedupe: 'evt_1', receivedAt: NOW },
  ]);
  const message = decodeWebhook(partition.envelopes[0]?.payload ?? Buffer.alloc(0));
  t.match(message, {
    endpoint: 'my-stripe',
    provider: 'stripe',
    type: 'invoice.paid',
    id: 'evt_1',
    contentType: 'application/json; charset=utf-8',
    headers: {},
  });
  t.equal(Buffer.from(message.body).toString(), body);

  const forged = await post('my-stripe', `${body} `, [JSON_TYPE, stripeHeader(body)]);
  t.equal(forged.status, 401);
  t.match(JSON.parse(forged.body), {
    type: 'urn:tether:problem:wrong-signature',
    detail: 'the signature is not that of this message',
  });
  const late = await post('my-stripe', body, [JSON_TYPE, stripeHeader(body, 1_759_999_000)]);
  t.equal(late.status, 401);
  t.match(JSON.parse(late.body), { type: 'urn:tether:problem:expired-signature', status: 401 });
  t.match(await post('my-stripe', body, [JSON_TYPE]), { status: 401 }, 'without a signature');
  t.match(await post('my-stripe', 'x', [JSON_TYPE, stripeHeader('x')]), { status: 400 });
  t.match(await post('my-stripe', body, [stripeHeader(body)]), { status: 415 }, 'without a media type');
  t.equal(partition.envelopes.length, 1);
  t.same(counted(metrics.endpoint('my-stripe')), {
    acknowledged: 1,
    malformed: 1,
    wrongSignature: 2,
    expired: 1,
    unsupportedMediaType: 1,
  });
  t.same(metrics.totals(), { acknowledged: 1, refused: 5 });
  t.equal(gateway.pending, 0);
});

t.test('of a header that came twice the first counts, for the check as for the rest', async (t) => {
  const { partition, post } = await start(t);
  const body = '{"id":"evt_1"}';
  const wrong = 'Stripe-Signature: t=1,v1=00';
  t.match(await post('my-stripe', body, [JSON_TYPE, stripeHeader(body), wrong]), { status: 200 });
  t.match(await post('my-stripe', body, [JSON_TYPE, wrong, stripeHeader(body)]), { status: 401 });
  t.equal(partition.envelopes.length, 1);
});

t.test('a handshake is answered and is on no log', async (t) => {
  const { gateway, partition, metrics, post } = await start(t);
  const body = '{"type":"url_verification","challenge":"3eZbrw1aBm2r"}';
  const at = `${Math.floor(NOW / 1000)}`;
  const signature = createHmac('sha256', SECRETS.slack).update(`v0:${at}:${body}`).digest('hex');
  const headers = [JSON_TYPE, `X-Slack-Request-Timestamp: ${at}`, `X-Slack-Signature: v0=${signature}`];
  const answer = await post('my-slack', body, headers);
  t.match(answer, { status: 200, headers: { 'content-type': 'text/plain' }, body: '3eZbrw1aBm2r' });
  t.match(await post('my-slack', body, [...headers.slice(0, 2), 'X-Slack-Signature: v0=00']), {
    status: 401,
  });
  t.equal(partition.envelopes.length, 0);
  t.same(counted(metrics.endpoint('my-slack')), { handshake: 1, wrongSignature: 1 });
  t.match(await metrics.registry.metrics(), /requests_total{endpoint="my-slack",outcome="handshake"} 1/);
  t.equal(gateway.pending, 0);
});

const event = (n: number) => ({
  id: `EV${n}`,
  resource_type: 'payments',
  action: 'paid_out',
  links: { payment: `PM${n}` },
});
const EVENTS = JSON.stringify({ events: Array.from({ length: 20 }, (_, n) => event(n)) });

t.test('events of one request go where their keys are, and are answered together', async (t) => {
  const { gateway, partitions, metrics, post } = await start(t, 4);
  for (const partition of partitions) partition.behaviour = 'hold';
  const answer = post('my-gocardless', EVENTS, gocardlessHeaders(EVENTS));
  const held = () => partitions.reduce((sum, partition) => sum + partition.held.length, 0);
  await until('the appends', () => held() === 20);
  t.ok(partitions.every((partition) => partition.held.length > 0));
  for (const partition of partitions.slice(1)) partition.release();
  t.equal(gateway.pending, 1, 'not before the last is on the log');
  partitions[0]?.release();
  t.match(await answer, { status: 200 });
  for (const { index, envelopes } of partitions) {
    for (const { key, dedupe } of envelopes) {
      t.equal(partitionOf(key, 4), index);
      t.equal(key, `my-gocardless:${dedupe.replace('EV', 'PM')}`);
    }
  }
  t.same(counted(metrics.endpoint('my-gocardless')), { acknowledged: 1 }, 'one request');
  t.equal(gateway.pending, 0);
});

t.test('events of which one is not taken are asked for again', async (t) => {
  const { gateway, partitions, post } = await start(t, 4);
  const [full] = partitions;
  if (full === undefined) throw new Error('there are four');
  full.behaviour = new LogFullError('full');
  t.match(await post('my-gocardless', EVENTS, gocardlessHeaders(EVENTS)), { status: 503 });
  t.equal(gateway.pending, 0);
  full.behaviour = 'take';
  t.match(await post('my-gocardless', EVENTS, gocardlessHeaders(EVENTS)), { status: 200 });
  const kept = partitions.flatMap(({ envelopes }) => envelopes.map(({ dedupe }) => dedupe));
  t.equal(new Set(kept).size, 20, 'all are there');
  t.ok(kept.length > 20, 'some twice, under the same idempotency key');
});
