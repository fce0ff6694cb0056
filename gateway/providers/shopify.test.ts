import { createHmac } from 'node:crypto';
import t from 'tap';
import { senderOf } from './test/sender.js';

// Shopify publishes the formula (base64 of HMAC-SHA-256 of the body by the client secret) and no vector.
const signed = (body: string, secret = 'hush') => ({
  'Content-Type': 'application/json',
  'X-Shopify-Topic': 'orders/create',
  'X-Shopify-Shop-Domain': 'made-up.myshopify.com',
  'X-Shopify-Webhook-Id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
  'X-Shopify-Hmac-Sha256': createHmac('sha256', secret).update(body).digest('base64'),
});
const shopify = senderOf('shopify', ['hush', 'hush-2']);

t.test('an order, whose id is larger than a number holds', async (t) => {
  const body = '{"id":820982911946154508,"admin_graphql_api_id":"gid://shopify/Order/820982911946154508"}';
  for (const secret of ['hush', 'hush-2']) {
    t.match(shopify.accept(body, signed(body, secret)), [
      {
        type: 'orders/create',
        id: 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
        key: 'shop:gid://shopify/Order/820982911946154508',
        body,
      },
    ]);
  }
  const byNumber = senderOf('shopify', ['hush'], { key: 'body:/id' });
  t.match(
    byNumber.accept(body, signed(body)),
    [{ key: 'shop:b54557e4-bdd9-4b37-8a5f-bf7d70bcd043' }],
    'never rounded',
  );
});

t.test('what is about the shop is in the order of the shop', async (t) => {
  const body = '{"shop_id":1}';
  t.match(shopify.accept(body, signed(body)), [{ key: 'shop:made-up.myshopify.com' }]);
});

t.test('forged', async (t) => {
  const { 'X-Shopify-Hmac-Sha256': signature } = signed('{}');
  for (const header of ['', 'x', signature.slice(0, -1), signature.toLowerCase(), `${signature}=`]) {
    t.match(shopify.recognise('{}', { 'X-Shopify-Hmac-Sha256': header }), { outcome: 'forged' }, header);
  }
  t.match(shopify.recognise('{} ', signed('{}')), { outcome: 'forged' });
  t.match(shopify.recognise('{}', signed('{}', 'another')), { outcome: 'forged' });
});
