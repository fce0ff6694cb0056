import t from 'tap';
import { fillForwardSettings } from './settings.js';
import { secretBytes, targetSchema } from './target-settings.js';
import { SECRET } from './test/receiver.js';

const TARGET = { name: 'shop', url: 'https://hooks.example/in', secrets: [SECRET] };
const problemsOf = (change: object) =>
  targetSchema
    .safeParse({ ...TARGET, ...change })
    .error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [];

t.test('defaults', async (t) => {
  t.match(targetSchema.parse(TARGET), {
    timeoutMs: 15_000,
    concurrency: 10,
    headers: {},
    allowPrivate: [],
    retry: { delaySeconds: 5, totalSeconds: 259_200, final: [400, 410, 413, 415, 422] },
    breaker: { failures: 10, restSeconds: 30 },
  });
});

t.test('what is refused, with the reason', async (t) => {
  for (const [url, reason] of [
    ['ftp://hooks.example/', 'is a URL of http or https'],
    ['file:///etc/passwd', 'is a URL of http or https'],
    ['https://user:pass@hooks.example/', 'has no user and password: use headers'],
    ['https://user@hooks.example/', 'has no user and password: use headers'],
    ['https://hooks.example/#part', 'has no fragment'],
    ['http://hooks.example:0/', 'has no port 0'],
    ['http://256.1.1.1/', 'is no URL'],
    ['hooks.example', 'is no URL'],
  ] as const) {
    t.strictSame(problemsOf({ url }), [`url ${reason}`], url);
  }
  for (const name of ['Shop', 'a:b', '', '1a']) t.equal(problemsOf({ name }).length, 1, name);
  for (const secret of [
    '',
    'whsec_',
    'whsec_AAAA',
    Buffer.alloc(32).toString('base64'),
    `whsec_${Buffer.alloc(65).toString('base64')}`,
  ]) {
    t.equal(problemsOf({ secrets: [secret] }).length, 1, secret);
  }
  t.equal(problemsOf({ secrets: [] }).length, 1);
  for (const name of [
    'Host',
    'Content-Length',
    'webhook-id',
    'Transfer-Encoding',
    'tether-x',
    'traceparent',
    'a b',
    'a:b',
  ]) {
    t.not(problemsOf({ headers: { [name]: 'x' } }).length, 0, name);
  }
  t.not(problemsOf({ headers: { a: 'x\r\nHost: other' } }).length, 0);
  t.strictSame(problemsOf({ headers: { Authorization: 'Bearer x' } }), []);
  t.not(problemsOf({ allowPrivate: ['10/8'] }).length, 0);
  t.not(problemsOf({ retry: { final: [500] } }).length, 0);
  t.throws(() => secretBytes('whsec_x'), TypeError);
});

t.test('settings are refused without a word of what is in them', async (t) => {
  const settings = { databaseUrl: 'postgres://x', targets: [{ ...TARGET, secrets: ['whsec_geheim'] }] };
  try {
    fillForwardSettings(settings);
    t.fail('they are taken');
  } catch (error) {
    t.match(String(error), /targets\.0\.secrets\.0/);
    t.notMatch(String(error), /geheim/);
  }
  t.throws(
    () => fillForwardSettings({ databaseUrl: 'x', targets: [TARGET, TARGET] }),
    TypeError,
    'two of a name',
  );
});
