import t from 'tap';
import { parseNetwork } from './networks.js';

t.test('ranges and single addresses', async (t) => {
  t.equal(parseNetwork('10.0.0.0/8'), '10.0.0.0/8');
  t.equal(parseNetwork('192.0.2.7'), '192.0.2.7/32');
  t.equal(parseNetwork('2001:db8::/32'), '2001:db8::/32');
  t.equal(parseNetwork('::1'), '::1/128');
});

t.test('what is no network', async (t) => {
  for (const text of [
    '',
    '10.1',
    '0x7f.1',
    '10.0.0.0/33',
    '10.0.0.256',
    '::/129',
    'localhost',
    '10.0.0.0/',
    '1',
  ]) {
    t.equal(parseNetwork(text), undefined, JSON.stringify(text));
  }
});
