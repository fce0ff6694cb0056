import t from 'tap';
import type { WebhookDelivery } from '../webhook/delivery.js';
import { handOver } from '../webhook/handover.js';
import { handlingSchema } from '../webhook/route-settings.js';
import { Routes } from '../webhook/routes.js';
import type { Body } from './bodies.js';
import { type HowReplayed, leftOutBefore, replayOf } from './deliveries.js';
import type { ReplayedEvent } from './selection.js';

const routes = new Routes({
  shop: handlingSchema.parse({ routes: [{ when: "type == 'paid'", to: ['ledger', 'forward:crm'] }] }),
});
const BODY = Buffer.from('{}');
const event: ReplayedEvent = {
  id: '0190a000-0000-7000-8000-000000000001',
  endpoint: 'shop',
  kind: 'paid',
  key: 'c1',
  dedupe: 'evt_1',
  status: 'routed',
  traceparent: '',
  receivedAt: 5,
  meta: { provider: 'hmac', contentType: 'application/json', id: 'evt_1', headers: { a: 'b' } },
  payload: BODY,
  place: undefined,
};
const how: HowReplayed = { id: 'r1', forced: false, target: undefined };

async function told(of: Partial<ReplayedEvent>, given: Partial<HowReplayed> = {}, body: Body = BODY) {
  const [one, as] = [
    { ...event, ...of },
    { ...how, ...given },
  ];
  const decided = leftOutBefore(one, as, routes) ?? replayOf(one, body, as, routes);
  if (typeof decided === 'string') return decided;
  const all: [string, string, string, WebhookDelivery][] = [];
  await handOver(
    [decided],
    async (actor, key, delivery, { dedupe }) => void all.push([actor, key, dedupe, delivery]),
    async () => {},
  );
  return all;
}

t.test('what is left out, and why', async (t) => {
  t.equal(await told({ meta: null, endpoint: 'emp' }), 'payment');
  t.equal(await told({ status: 'delayed' }), 'delayed');
  t.equal(await told({ status: 'delayed' }, { target: 'x' }), 'delayed');
  for (const given of [{}, { target: 'x' }]) {
    t.equal(await told({}, given, 'body'), 'body');
    t.equal(await told({}, given, 'damaged'), 'damaged');
  }
  t.equal(await told({ endpoint: 'gone' }), 'endpoint');
  t.equal(await told({ kind: 'sent' }), 'unrouted');
  const before = (of: Partial<ReplayedEvent>) => leftOutBefore({ ...event, ...of }, how, routes);
  t.equal(before({ kind: 'sent' }), undefined, 'its body decides');
  t.strictSame(
    [before({ meta: null }), before({ status: 'delayed' }), before({ endpoint: 'gone' })],
    ['payment', 'delayed', 'endpoint'],
    'no body is fetched for these',
  );
});

t.test(
  'the routes as they are now; a replay is marked, and has the keys of the first deliveries',
  async (t) => {
    const [ledger, forward] = (await told({})) as [string, string, string, WebhookDelivery][];
    t.strictSame(ledger?.slice(0, 3), ['ledger', 'shop:c1', 'shop:evt_1']);
    t.strictSame(forward?.slice(0, 3), ['forward', 'crm:shop:c1', 'crm:shop:evt_1']);
    t.strictSame(ledger?.[3], {
      type: 'webhook',
      endpoint: 'shop',
      provider: 'hmac',
      kind: 'paid',
      key: 'c1',
      id: 'evt_1',
      receivedAt: 5,
      contentType: 'application/json',
      headers: { a: 'b' },
      body: BODY,
      replay: { id: 'r1', forced: false },
    });
  },
);

t.test('forced: keys of its own, the same at each try', async (t) => {
  const forced = await told({}, { forced: true });
  t.match(forced, [
    ['ledger', 'shop:c1', 'replay/r1:shop:evt_1', { replay: { id: 'r1', forced: true } }],
    ['forward', 'crm:shop:c1', 'crm:replay/r1:shop:evt_1'],
  ]);
  t.strictSame(await told({}, { forced: true }), forced);
});

t.test('another actor takes what no route does, and events of EMP', async (t) => {
  t.match(await told({ endpoint: 'gone' }, { target: 'audit' }), [['audit', 'gone:c1', 'gone:evt_1']]);
  t.match(await told({ meta: null, endpoint: 'emp', kind: 'processing' }, { target: 'forward:crm' }), [
    [
      'forward',
      'crm:emp:c1',
      'crm:emp:evt_1',
      {
        provider: 'emp',
        kind: 'processing',
        id: '',
        contentType: 'application/x-www-form-urlencoded',
        target: 'crm',
      },
    ],
  ]);
});
