/** What becomes of deliveries, in a real system with a real receiver. */
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { openDatabase } from '../payment/test/database.js';
import { type Answer, ok, openReceiver, status } from './test/receiver.js';
import { startForwardSystem, targetTo } from './test/system.js';

const database = await openDatabase(t);
const bodies = (all: readonly { readonly body: string }[]) => all.map(({ body }) => body);
const waiting = async (target: string) =>
  (await database.rows(`SELECT id FROM forwards WHERE key LIKE $1`, [`${target}:%`])).length;

/** Refuses what has `a` in its key until told otherwise; takes all else. */
function refusing(pattern: RegExp) {
  const state = { isDown: true };
  const answer: Answer = (one, response, times) =>
    state.isDown && pattern.test(one.body) ? status(500)(one, response, times) : ok(one, response, times);
  return { state, answer };
}

const shop = await openReceiver(t);
const dead = await openReceiver(t);
const slow = await openReceiver(t, () => {});
const limited = await openReceiver(t);
const away = await openReceiver(t);
const { system, deadLetters, forward, close } = await startForwardSystem(t.testdir(), database.url, [
  targetTo(shop.url),
  targetTo(dead.url, { name: 'dead', retry: { delaySeconds: 1, totalSeconds: 0 } }),
  targetTo(slow.url, { name: 'slow', concurrency: 2, timeoutMs: 60_000 }),
  targetTo(limited.url, { name: 'limited', ratePerSecond: 10, burst: 1 }),
  targetTo(away.url, { name: 'away', breaker: { failures: 3, restSeconds: 2, restSecondsMax: 2 } }),
]);
t.teardown(close);
const letters = () => deadLetters.list({ limit: 100 });

t.test('a delivery arrives as it came, signed and named', async (t) => {
  await forward('shop', 'plain', 'café {"a": 1}');
  await until('it is there', () => shop.taken.length === 1);
  const [one] = shop.taken;
  t.equal(one?.body, 'café {"a": 1}');
  t.match(one?.headers, {
    'content-type': 'application/json; charset=utf-8',
    'tether-endpoint': 'shopify',
    'tether-kind': 'order.paid',
    'tether-attempt': '1',
    'webhook-id': /^msg_[0-9a-f]{32}$/,
  });
  t.equal(await waiting('shop'), 0);
  await until('it is counted', () =>
    system.measures().dependencies.some(({ dependency }) => dependency === 'forward:shop'),
  );
});

t.test('a message that comes twice has the same id; known as made, it is not sent again', async (t) => {
  const before = shop.received.length;
  await forward('shop', 'twice', 'one', 'same');
  await forward('shop', 'twice', 'one', 'same');
  await forward('shop', 'twice', 'last', 'other');
  await until('all are there', () => bodies(shop.received.slice(before)).includes('last'));
  t.strictSame(bodies(shop.received.slice(before)), ['one', 'last']);
});

t.test('a key waits for its own, in order; others go on; the log is free', async (t) => {
  const before = shop.taken.length;
  const { state, answer } = refusing(/^a/);
  shop.answer = answer;
  for (const body of ['a1', 'a2', 'a3']) await forward('shop', 'a', body);
  for (const body of ['b1', 'b2']) await forward('shop', 'b', body);
  await until('those of the other key are there', () => shop.taken.length === before + 2);
  await system.caughtUp('forward', 5_000);
  t.equal(await waiting('shop'), 3, 'nothing of it is left on the log');
  const first = shop.received.filter(({ body }) => body === 'a1');
  t.equal(shop.received.filter(({ body }) => body === 'a2').length, 0, 'none before its turn');
  state.isDown = false;
  await until('all are there', () => shop.taken.length === before + 5);
  t.strictSame(bodies(shop.taken.slice(before)), ['b1', 'b2', 'a1', 'a2', 'a3']);
  t.equal(shop.taken.at(-3)?.id, first[0]?.id, 'with the id of the first attempt');
  await until('and the table is empty', async () => (await waiting('shop')) === 0);
  shop.answer = ok;
});

t.test('a final answer is a dead letter with its cause, and its key goes on', async (t) => {
  shop.answer = (one, response, times) =>
    one.body === 'gone' ? status(410)(one, response, times) : ok(one, response, times);
  await forward('shop', 'final', 'gone');
  await forward('shop', 'final', 'next');
  await until('the next is there', () => bodies(shop.taken).includes('next'));
  t.match(await letters(), [
    { cause: { code: 'TETHER_FORWARD_REFUSED', message: 'target shop refused it: status 410' } },
  ]);
  t.equal(shop.received.filter(({ body }) => body === 'gone').length, 1);
  const [letter] = await letters();
  shop.answer = ok;
  await system.replay(letter?.envelope.id ?? '');
  await until('it is replayed', () => bodies(shop.taken).includes('gone'));
});

t.test('one that waited and whose time is over is a dead letter as it came', async (t) => {
  const { state, answer } = refusing(/^late/);
  shop.answer = answer;
  await forward('shop', 'over', 'late');
  await until('it waits', async () => (await waiting('shop')) === 1);
  await database.rows(`UPDATE forwards SET since = 0`);
  await until('it is given up', async () => (await waiting('shop')) === 0);
  const found = (await letters()).find(({ cause }) => cause.code === 'TETHER_FORWARD_EXHAUSTED');
  t.match(found, { envelope: { key: 'shop:shopify:over', dedupe: 'shop:over:late' }, attempts: 2 });
  t.match(found?.cause.message, /^target shop did not take it, 2 attempts: status 500$/);
  state.isDown = false;
  await system.replay(found?.envelope.id ?? '');
  await until('it is replayed', () => bodies(shop.taken).includes('late'));
  shop.answer = ok;
});

t.test('without time for a second attempt the first failure is a dead letter', async (t) => {
  dead.answer = status(302, { location: shop.url });
  const before = shop.received.length;
  await forward('dead', 'k', 'redirected');
  await until('it is given up', async () =>
    (await letters()).some(({ envelope }) => envelope.key === 'dead:shopify:k'),
  );
  t.match((await letters()).find(({ envelope }) => envelope.key === 'dead:shopify:k')?.cause, {
    code: 'TETHER_FORWARD_EXHAUSTED',
    message: /status 302/,
  });
  t.equal(shop.received.length, before, 'the redirect is not followed');
});

t.test('what is no delivery is a dead letter at once', async (t) => {
  const forwards = system.ref<unknown>('forward', 'shop:x:y');
  await forwards.tellDurably({ type: 'webhook', body: 'a text' });
  await forwards.tellDurably({
    type: 'webhook',
    body: Buffer.from(''),
    target: 'other',
    endpoint: '',
    kind: '',
    contentType: '',
  });
  await until('both are', async () => {
    const codes = (await letters()).map(({ cause }) => cause.code);
    return codes.filter((code) => code === 'TETHER_FORWARD_MESSAGE').length === 2;
  });
  t.pass();
});

t.test('a target that answers nothing holds up no other, however many wait for it', async (t) => {
  for (let n = 0; n < 150; n++) await forward('slow', `k${n}`, 'x');
  const before = shop.taken.length;
  await forward('shop', 'quick', 'beside');
  await until('the other is served', () => shop.taken.length === before + 1);
  t.equal(slow.received.length, 2, 'no more at once than it may have');
  await until('most of the rest waits in the table', async () => (await waiting('slow')) > 100);
  await slow.close();
});

t.test('no more than its rate', async (t) => {
  const begun = performance.now();
  for (let n = 0; n < 12; n++) await forward('limited', `k${n}`, 'x');
  await until('all are there', () => limited.taken.length >= 12);
  const seconds = (performance.now() - begun) / 1_000;
  t.ok(seconds > 1, `${seconds} s for 12 at 10 a second`);
});

t.test('a target that fails rests, and one delivery tries whether it is back', async (t) => {
  away.answer = status(503);
  for (let n = 0; n < 20; n++) await forward('away', `k${n}`, `${n}`);
  await until('all wait', async () => (await waiting('away')) === 20);
  t.ok(away.received.length <= 16, `${away.received.length} requests: what was under way, and no more`);
  away.answer = ok;
  await until('it is back', () => away.taken.length === 20, 20_000);
  await until('and none waits', async () => (await waiting('away')) === 0);
});

t.test('a target that nobody knows: it waits, since settings may come', async (t) => {
  await forward('nowhere', 'k', 'x');
  await until('it waits', async () => (await waiting('nowhere')) === 1);
  t.match(await database.rows(`SELECT reason FROM forwards WHERE key LIKE 'nowhere:%'`), [
    { reason: 'there is no such target' },
  ]);
});
