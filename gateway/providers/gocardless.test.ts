import { createHmac } from 'node:crypto';
import t from 'tap';
import { EVENTS_MAX } from './events.js';
import { senderOf } from './test/sender.js';

// The fixture of GoCardless's own libraries (github.com/gocardless/gocardless-nodejs, src/webhooks.test.ts).
const SECRET = 'ED7D658C-D8EB-4941-948B-3973214F2D49';
const BODY =
  '{"events":[{"id":"EV00BD05S5VM2T","created_at":"2018-07-05T09:13:51.404Z","resource_type":"subscriptions","action":"created","links":{"subscription":"SB0003JJQ2MR06"},"details":{"origin":"api","cause":"subscription_created","description":"Subscription created via the API."},"metadata":{}},{"id":"EV00BD05TB8K63","created_at":"2018-07-05T09:13:56.893Z","resource_type":"mandates","action":"created","links":{"mandate":"MD000AMA19XGEC"},"details":{"origin":"api","cause":"mandate_created","description":"Mandate created via the API."},"metadata":{}}]}';
const PUBLISHED = '2693754819d3e32d7e8fcb13c729631f316c6de8dc1cf634d6527f1c07276e7e';

const gocardless = senderOf('gocardless', [SECRET]);
const signed = (body: string) => ({
  'Webhook-Signature': createHmac('sha256', SECRET).update(body).digest('hex'),
});
const send = (value: unknown) => gocardless.recognise(JSON.stringify(value), signed(JSON.stringify(value)));

t.test('the published vector: each event is a message of its own', async (t) => {
  const messages = gocardless.accept(BODY, { 'Webhook-Signature': PUBLISHED });
  t.match(messages, [
    {
      type: 'subscriptions.created',
      id: 'EV00BD05S5VM2T',
      dedupe: 'EV00BD05S5VM2T',
      key: 'shop:SB0003JJQ2MR06',
      contentType: 'application/json',
    },
    { type: 'mandates.created', dedupe: 'EV00BD05TB8K63', key: 'shop:MD000AMA19XGEC' },
  ]);
  t.same(
    messages.map(({ body }) => JSON.parse(body)),
    JSON.parse(BODY).events,
  );
});

t.test('an event is the same message however it is packed', async (t) => {
  const { events } = JSON.parse(BODY);
  const alone = JSON.stringify({ events: [events[1]] });
  const [message] = gocardless.accept(alone, signed(alone));
  t.same(message, gocardless.accept(BODY, { 'Webhook-Signature': PUBLISHED })[1]);
});

t.test('forged', async (t) => {
  for (const header of ['', 'x', PUBLISHED.slice(1), `${PUBLISHED}00`]) {
    t.match(gocardless.recognise(BODY, { 'Webhook-Signature': header }), { outcome: 'forged' }, header);
  }
  t.match(gocardless.recognise(BODY.replace('MD', 'ME'), { 'Webhook-Signature': PUBLISHED }), {
    outcome: 'forged',
  });
});

t.test('what holds no events', async (t) => {
  for (const value of [
    {},
    [],
    null,
    1,
    { events: {} },
    { events: [] },
    { events: 'x' },
    { events: Array(EVENTS_MAX + 1).fill({}) },
  ]) {
    t.match(send(value), { outcome: 'malformed' }, JSON.stringify(value).slice(0, 40));
  }
  t.match(gocardless.recognise('x', signed('x')), { outcome: 'malformed' });
});

t.test("an event without an id or a resource is kept, in nobody's way", async (t) => {
  for (const event of [{}, null, 7, 'x', [], { resource_type: '__proto__', links: {} }]) {
    const body = JSON.stringify({ events: [event] });
    const [message] = gocardless.accept(body, signed(body));
    t.match(message, { id: '', dedupe: /^sha256:/, key: /^shop:sha256:/, body: JSON.stringify(event) }, body);
  }
});
