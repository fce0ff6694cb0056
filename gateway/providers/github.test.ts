import { sign } from '@octokit/webhooks-methods';
import t from 'tap';
import { senderOf } from './test/sender.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };

t.test('the published vector', async (t) => {
  // GitHub's documentation, "Validating webhook deliveries". Its payload is no JSON, so it is told apart from a forged one only.
  const github = senderOf('github', ["It's a Secret to Everybody"]);
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  const recognise = (header: string) => github.recognise('Hello, World!', { 'X-Hub-Signature-256': header });
  t.match(recognise(signature), { outcome: 'malformed', reason: 'the body is not JSON' });
  t.match(
    recognise(signature.toUpperCase().replace('SHA', 'sha')),
    { outcome: 'malformed' },
    'hex digits in either case',
  );
  for (const wrong of [
    '',
    signature.slice(7),
    signature.slice(0, -1),
    `${signature}0`,
    signature.replace('sha256', 'sha1'),
    signature.replace('sha256', 'sha512'),
  ]) {
    t.match(recognise(wrong), { outcome: 'forged' }, wrong);
  }
});

t.test('an event signed by the library', async (t) => {
  const body = '{"action":"opened","repository":{"full_name":"octo/hello"},"number":1}';
  const headers = {
    ...JSON_TYPE,
    'X-GitHub-Event': 'pull_request',
    'X-GitHub-Delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    'X-Hub-Signature-256': await sign('second', body),
  };
  const github = senderOf('github', ['first', 'second'], { keepHeaders: ['X-GitHub-Hook-ID'] });
  t.match(github.accept(body, { ...headers, 'X-GitHub-Hook-ID': '7' }), [
    {
      type: 'pull_request',
      id: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      dedupe: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      key: 'shop:octo/hello',
      headers: { 'x-github-hook-id': '7' },
      body,
    },
  ]);
  t.match(github.recognise(`${body} `, headers), { outcome: 'forged' });
  t.match(senderOf('github', ['second'], { id: 'digest' }).accept(body, headers), [
    { dedupe: /^sha256:/, id: '' },
  ]);
});

t.test('a ping is answered and no message, when it is genuine', async (t) => {
  const body = '{"zen":"Keep it logically awesome.","hook_id":1}';
  const headers = { 'X-GitHub-Event': 'ping', 'X-Hub-Signature-256': await sign('s', body) };
  const { length } = Buffer.alloc(0);
  t.match(senderOf('github', ['s']).recognise(body, headers), { outcome: 'handshake', answer: { length } });
  t.match(senderOf('github', ['x']).recognise(body, headers), { outcome: 'forged' });
});
