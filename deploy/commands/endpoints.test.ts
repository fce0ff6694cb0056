/** `tether endpoints` against what answers like a node; with a real one: `deploy/test/endpoints-reload.test.ts`. */
import { join } from 'node:path';
import t from 'tap';
import { serve } from '../test/serve.js';
import { spawnCli } from '../test/spawn-cli.js';
import { checkEndpointsFile, listEndpoints, putEndpoints, removeEndpoint } from './endpoints-run.js';

t.setTimeout(60_000);

const endpoint = (more: object = {}) => ({
  name: 'emp',
  source: 'file',
  provider: 'emp',
  token: { reference: null, digest: '0123abcd' },
  secrets: [{ reference: null, digest: '4567cdef' }],
  settings: { actor: 'payment' },
  served: true,
  problems: [],
  changedAt: null,
  changedBy: null,
  ...more,
});
const shop = endpoint({
  name: 'shop',
  source: 'api',
  secrets: [
    { reference: 'env:SHOP', digest: null },
    { reference: null, digest: '89ab0123' },
  ],
  served: false,
  problems: ['actor: own is not there'],
  changedAt: '2026-11-26T06:00:00.000Z',
  changedBy: 'an\u001bn',
});
const TOKEN = 'a-token-of-16-ch';

t.test('each command asks what it should', async (t) => {
  const requests: string[] = [];
  const file = {
    path: '/etc/endpoints.yaml',
    problems: ['/etc/endpoints.yaml: endpoint x: name: is missing'],
  };
  const { url } = await serve(t, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push(`${request.method} ${request.url} ${body}`.trim());
    const list = { endpoints: [endpoint(), shop], file };
    response.end(JSON.stringify(request.url === '/api/endpoints' ? list : shop));
  });
  const env = { TETHER_URL: url, TETHER_API_TOKEN: 'a-token-of-some-length' };
  t.equal(
    await listEndpoints({}, env),
    [
      'NAME  PROVIDER  ACTOR    FROM  SECRETS            CHANGED                             SERVED',
      'emp   emp       payment  file  4567cdef           -                                   yes',
      'shop  emp       payment  api   env:SHOP 89ab0123  2026-11-26T06:00:00.000Z an\\u001bn  no: actor: own is not there',
      '/etc/endpoints.yaml is refused, what was read before is served on:',
      '/etc/endpoints.yaml: endpoint x: name: is missing',
      '',
    ].join('\n'),
  );
  t.same(JSON.parse(await listEndpoints({ json: true }, env)), { endpoints: [endpoint(), shop], file });
  const directory = t.testdir({
    'shops.yaml': `endpoints:\n  - { name: shop, provider: emp, token: "env:NOT_HERE", secrets: ["file:/not/here"] }\n  - { name: store, provider: emp, token: t, secrets: [s], networks: [192.0.2.7] }\n`,
    'none.yaml': 'endpoints: []',
    'wrong.yaml': 'endpoints: [{ name: ok, provider: emp, token: t, secrets: [s] }, { name: Not }]',
  });
  t.match(await putEndpoints(join(directory, 'shops.yaml'), {}, env), /^NAME.*\nshop .*\nshop .*\n$/);
  t.match(await putEndpoints(join(directory, 'none.yaml'), {}, env), /has no endpoints\n$/);
  await t.rejects(putEndpoints(join(directory, 'wrong.yaml'), {}, env), { code: 'TETHER_CONFIG_REFUSED' });
  t.equal(await removeEndpoint('shop', {}, env), 'shop is taken away\n');
  await removeEndpoint('a/b', {}, env);
  t.strictSame(requests.slice(2), [
    'PUT /api/endpoints/shop {"provider":"emp","token":"env:NOT_HERE","secrets":["file:/not/here"]}',
    'PUT /api/endpoints/store {"provider":"emp","token":"t","secrets":["s"],"networks":["192.0.2.7"]}',
    'DELETE /api/endpoints/shop',
    'DELETE /api/endpoints/a%2Fb',
  ]);
});

t.test('a file is checked as a node would, without one', async (t) => {
  const file = join(
    t.testdir({
      'endpoints.yaml': `endpoints:\n  - { name: a, provider: emp, token: "env:PATH_TOKEN", secrets: [s] }\n  - { name: b, provider: emp, token: ${TOKEN}, secrets: [s] }\n`,
    }),
    'endpoints.yaml',
  );
  t.equal(await checkEndpointsFile(file, {}, { PATH_TOKEN: TOKEN }), `${file} is right: 2 endpoints, a, b\n`);
  await t.rejects(checkEndpointsFile(file, {}, { PATH_TOKEN: 'short' }), {
    message: /endpoint a: token: has fewer/,
  });
  t.match(await checkEndpointsFile(file, { up: true }, { PATH_TOKEN: 'short' }), /is right/);
  t.match(await spawnCli(['endpoints', 'check', file], {}), {
    code: 78,
    stderr: /endpoint a: token: the environment variable PATH_TOKEN is not set/,
  });
});

t.test('the schema is printed', async (t) => {
  const { code, stdout } = await spawnCli(['endpoints', 'schema'], {});
  t.equal(code, 0);
  t.match(JSON.parse(stdout), { properties: { endpoints: { type: 'array' } } });
});
