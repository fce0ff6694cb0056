/** Conditions: what they answer, what is refused and where, and that no body makes one long. */
import { celMap } from '@bufbuild/cel';
import t from 'tap';
import { type Bindings, Conditions, Meter, Unclear } from './condition.js';
import { readJson } from './json-value.js';

const meter = new Meter();
const conditions = new Conditions(meter);

function bindingsOf(body: unknown): Bindings {
  return {
    endpoint: 'shop',
    provider: 'stripe',
    type: 'invoice.paid',
    id: 'evt_1',
    key: 'cus_1',
    contentType: 'application/json',
    headers: celMap(new Map([['x-topic', 'orders/paid']])),
    body: readJson(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))),
  };
}

function ask(text: string, body: unknown = {}): boolean | string {
  meter.fill();
  const answer = conditions.compile(text).ask(bindingsOf(body));
  return answer instanceof Unclear ? answer.reason : answer;
}

t.test('what conditions answer', async (t) => {
  const body = {
    amount: 4999,
    ratio: 0.5,
    livemode: true,
    note: null,
    customer: { email: 'a@example.com', constructor: null, __proto__x: 1 },
    items: [{ sku: 'a' }, { sku: 'b' }],
  };
  const cases: readonly (readonly [string, boolean | string])[] = [
    ["type == 'invoice.paid'", true],
    ["type.startsWith('invoice.') && body.livemode", true],
    ["type in ['charge.failed', 'invoice.paid']", true],
    ["endpoint + '/' + provider == 'shop/stripe'", true],
    ['body.amount >= 4999 && body.amount == 4999', true],
    ['body.amount > 5000 || body.ratio < 0.6', true],
    ['int(body.amount) % 2 == 1', true],
    ["headers['x-topic'] == 'orders/paid'", true],
    ["'x-topic' in headers", true],
    ["'x-other' in headers", false],
    ['has(body.customer.email)', true],
    ['has(body.customer.phone)', false],
    ["body.items.exists(i, i.sku == 'b')", true],
    ["body.items.all(i, i.sku == 'b')", false],
    ["body.items.exists_one(i, i.sku == 'b')", true],
    ["body.items[1].sku == 'b'", true],
    ['size(body.items) == 2', true],
    ["body.customer.email.matches('^[a-z]+@example[.]com$')", true],
    ['body.note == null', true],
    ['has(body.customer.constructor)', false],
    ['body.customer.constructor == null', true],
    ['body.livemode', true],
    ["body.missing == 'x'", 'a field is missing'],
    ["body.missing == 'x' || true", true],
    ["body.amount == 'x'", false],
    ["body.amount > 'x'", 'the types do not fit'],
    ['body.amount', 'it is neither true nor false'],
    ['body.items[7].sku == 1', 'a field is missing'],
  ];
  for (const [text, answer] of cases) t.equal(ask(text, body), answer, text);
  for (const none of ['', 'no json', '[', `${'['.repeat(5_000)}`, `${'['.repeat(500)}${']'.repeat(500)}`]) {
    t.equal(ask("body.type == 'x'", none), 'a field is missing', `a body of ${none.length} characters`);
    t.equal(ask("type == 'invoice.paid'", none), true);
  }
  t.equal(
    ask("body.constructor == 'x' && body.__proto__ == 'y'", '{"constructor":"x","__proto__":"y"}'),
    true,
  );
});

t.test('what is refused, and where', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['typ == "a"', /^at 1: there is no typ; there is endpoint, provider, type/],
    ["type == 'a' && body.a.exists(i, j.b)", /^at \d+: there is no j;/],
    ['type = "a"', /^at 6: it is no expression of CEL \(found =/],
    ['', /it is no expression of CEL/],
    ["type.lower() == 'a'", /^at \d+: there is no lower; there is int, double, size/],
    ['body.a.map(i, i) == body.b', /map and filter build lists/],
    ['body.a.filter(i, i) == body.b', /map and filter build lists/],
    ["type.matches('(')", /the pattern of matches is none of RE2/],
    ['type.matches(body.pattern)', /the pattern of matches is a text between quotes/],
    ['type', /neither true nor false/],
    ["'a'", /neither true nor false/],
    ['1 + 2', /neither true nor false/],
    ['{1: 2} == body', /a condition has no such thing/],
    ["duration('1s') == body.a", /there is no duration/],
    [`type == '${'x'.repeat(1_000)}'`, /allowed are 1000/],
    [`${'('.repeat(40)}true${')'.repeat(40)}`, /^at 33: brackets are more than 32 deep/],
    [Array(150).fill('true').join('&&'), /more than 200 parts/],
    ['type.matches("a{2000}")', /none of RE2/],
    ['$turn(1, body)', /no expression of CEL/],
  ];
  for (const [text, message] of cases) {
    t.throws(() => conditions.compile(text), { code: 'TETHER_WEBHOOK_ROUTE', message }, text.slice(0, 60));
  }
});

t.test('a body that is made for it costs no more than its budget', async (t) => {
  const numbers = JSON.stringify({ a: Array.from({ length: 30_000 }, (_, n) => n), s: 'x'.repeat(60_000) });
  const costly = [
    'body.a.exists(i, i in body.a)',
    `body.a.all(i, ${Array(50).fill('true').join('&&')})`,
    'body.a.exists(i, body.a.exists(j, i + j < 0.0))',
    'body.a.all(i, body.a.exists(j, true))',
    'body.a.all(i, body == body)',
    "body.a.all(i, body.s.contains('y') == false)",
    "body.a.all(i, !body.s.matches('y+z'))",
    'body.a.all(i, size(body.s) > 0)',
    "body.a.all(i, body.s + body.s != '')",
    'body.a.all(i, body.a == body.a) || body.a.all(i, body.a == body.a)',
  ];
  for (const text of costly) {
    const bindings = bindingsOf(numbers);
    const condition = conditions.compile(text);
    meter.fill();
    const begun = process.cpuUsage();
    const answer = condition.ask(bindings);
    const { user, system } = process.cpuUsage(begun);
    t.match(answer, { reason: 'it costs too much for this body' }, text);
    // On a machine that does much else; without a meter the first of these takes a minute.
    t.ok(user + system < 1_000_000, `${Math.round((user + system) / 1_000)} ms`);
  }
  const short = bindingsOf({ a: Array.from({ length: 1_000 }, (_, n) => ({ n })) });
  meter.fill();
  t.equal(
    conditions.compile('body.a.exists(i, i.n == 999)').ask(short),
    true,
    'a list of usual size is none',
  );
  t.match(conditions.compile('body.a.all(i, i.n >= 0 && i.n < 2000 && i.n != -1)').ask(short), true);
});
