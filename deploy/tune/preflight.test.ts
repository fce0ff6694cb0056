/** What may be measured: the place of a node. Its state is in `deploy/commands/tune.test.ts`. Nothing is asked of the addresses here. */
import t from 'tap';
import { checkPlace } from './preflight.js';

t.test('a node on this machine needs no more words', async (t) => {
  for (const url of [
    'http://127.0.0.1:8080',
    'http://127.9.9.9',
    'http://[::1]:8080',
    'http://localhost:1',
  ]) {
    t.equal(await checkPlace(url, undefined), 'here', url);
  }
  t.equal(await checkPlace('http://127.0.0.1:1', '127.0.0.1'), 'here');
});

t.test('any other has to be named, exactly', async (t) => {
  const urls = [
    'http://192.0.2.7:8080',
    'https://10.0.0.7',
    'http://[2001:db8::7]:8080',
    'http://0.0.0.0:8080',
    'http://128.0.0.1',
  ];
  for (const url of urls) {
    const { hostname } = new URL(url);
    const refused = { code: 'TETHER_USAGE', message: `${hostname} is not this machine` };
    const error = await checkPlace(url, undefined).catch((error: Error) => error);
    t.match(error, refused, url);
    t.match(error, { message: `--remote ${hostname}` }, url);
    await t.rejects(checkPlace(url, '127.0.0.1'), { code: 'TETHER_USAGE' }, url);
    await t.rejects(checkPlace(url, `${hostname}.`), { code: 'TETHER_USAGE' }, url);
    t.equal(await checkPlace(url, hostname), 'elsewhere', url);
  }
});
