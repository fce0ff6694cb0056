/** What is signed, verified by the library that receivers use. */
import { Webhook } from 'standardwebhooks';
import t from 'tap';
import { sign, webhookId } from './signature.js';
import { secretBytes } from './target-settings.js';
import { OTHER_SECRET, SECRET } from './test/receiver.js';

t.test('the library verifies it, with each of the secrets and no other', async (t) => {
  const body = Buffer.from('{"amount": "4999 €"}');
  const headers = { ...sign('msg_1', Date.now(), body, [secretBytes(SECRET), secretBytes(OTHER_SECRET)]) };
  for (const secret of [SECRET, OTHER_SECRET]) {
    t.strictSame(new Webhook(secret).verify(body, headers), { amount: '4999 €' });
  }
  const foreign = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
  t.throws(() => new Webhook(foreign).verify(body, headers));
  t.throws(() => new Webhook(SECRET).verify(Buffer.from('{}'), headers));
  t.throws(() => new Webhook(SECRET).verify(body, { ...headers, 'webhook-id': 'msg_2' }));
  const at = new Date(1_700_000_000_000);
  t.equal(
    sign('msg_1', at.getTime(), body, [secretBytes(SECRET)])['webhook-signature'],
    new Webhook(SECRET).sign('msg_1', at, body),
    'the same as it makes',
  );
});

t.test('the id is that of the message, whatever is in its key', async (t) => {
  t.equal(webhookId('a:b'), webhookId('a:b'));
  t.not(webhookId('a:b'), webhookId('a:c'));
  t.match(webhookId('a\r\nb\0é'), /^msg_[0-9a-f]{32}$/);
});
