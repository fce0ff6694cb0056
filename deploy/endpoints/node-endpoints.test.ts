/** Endpoints of two nodes that share a Postgres: what is made on one is served by both, beside what stands in each one's file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { checkEndpoint } from '../../gateway/index.js';
import { ManualClock } from '../../runtime/clock.js';
import { type Logger, silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { createPool, EndpointsTable } from '../../storage/postgres/index.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { endpointFindings } from './health.js';
import { NodeEndpoints } from './node-endpoints.js';
import { EndpointReader } from './reader.js';

t.setTimeout(120_000);

const { pool, url } = await startTestPostgres(t);
const shared = new EndpointsTable(pool);
const RULES = { mode: 'start', actors: ['payment', 'own'], bodyBytesMax: 1_048_576 } as const;
const TOKEN = 'a-token-of-16-ch';
const SETTINGS = { provider: 'emp', token: TOKEN, secrets: ['hunter2-hunter2'] };
const ENV = { PASSWORD: 'from-the-environment' };

const entry = (name: string) =>
  `  - { name: ${name}, provider: emp, token: ${TOKEN}, secrets: [of-the-file] }\n`;
const yaml = (...names: string[]) =>
  `endpoints:${names.length === 0 ? ' []' : ''}\n${names.map(entry).join('')}`;

async function start(
  t: Test,
  names: readonly string[] = [],
  table: EndpointsTable = shared,
  env: object = ENV,
) {
  const directory = mkdtempSync(join(tmpdir(), 'tether-endpoints-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'endpoints.yaml');
  writeFileSync(file, yaml(...names));
  const reader = new EndpointReader({ ...env }, RULES);
  const clock = new ManualClock();
  const lines: string[] = [];
  const note: Logger['warn'] = (fields, message) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const served: string[] = [];
  const secrets = new Set<string>();
  const targets: string[] = [];
  const node = new NodeEndpoints({
    file,
    configured: await reader.readFile(file),
    reader,
    table,
    clock,
    logger: { ...silentLogger, info: note, warn: note, error: note },
    onSecrets: (more) => {
      for (const secret of more) secrets.add(secret);
    },
    serve({ endpoints, ...more }, complete) {
      for (const endpoint of endpoints) checkEndpoint(endpoint);
      targets.push(more.targets.map(({ name, url }) => `${name} ${url}`).join());
      served.push(`${endpoints.map(({ name }) => name).join()}${complete ? '' : ' and others'}`);
    },
  });
  t.teardown(() => node.stop());
  node.watch();
  return {
    node,
    directory,
    file,
    lines,
    served,
    targets,
    secrets,
    follow: () => node.follow(),
    write: (...names: string[]) => writeFileSync(file, yaml(...names)),
    is: (what: string) => until(`it serves ${what}`, () => served.at(-1) === what),
    look: () => clock.advance(2_000),
    shown: (name: string) => node.list().filter((one) => one.name === name),
  };
}

t.beforeEach(async () => void (await pool.query('DELETE FROM endpoints')));

t.test('made here it is served here at once, elsewhere at the next look, and after a restart', async (t) => {
  const [one, other] = await Promise.all([start(t, ['file']), start(t)]);
  await Promise.all([one.follow(), other.follow()]);
  t.strictSame(one.served, ['file']);
  const { before, after } = await one.node.put('shop', SETTINGS, 'ann');
  t.equal(before, undefined);
  t.match(after, { name: 'shop', source: 'api', served: true, changedBy: 'ann', settings: {} });
  t.equal(one.served.at(-1), 'file,shop');
  t.equal(other.served.at(-1), '');
  other.look();
  await other.is('shop');
  await other.node.put('shop', { ...SETTINGS, actor: 'own' }, 'bob');
  one.look();
  await until('the first follows', () => one.shown('shop')[0]?.settings.actor === 'own');
  const restarted = await start(t, ['file']);
  await restarted.follow();
  t.equal(restarted.served.at(-1), 'file,shop');
  t.match(await one.node.remove('shop'), { name: 'shop', settings: { actor: 'own' } });
  t.equal(one.served.at(-1), 'file');
  t.equal(await one.node.remove('shop'), undefined);
  other.look();
  await other.is('');
});

t.test('what is secret never comes out, and stays when it is left out', async (t) => {
  const { node, secrets, follow } = await start(t, ['file']);
  await follow();
  const { after } = await node.put(
    'shop',
    { ...SETTINGS, secrets: ['hunter2-hunter2', 'env:PASSWORD'] },
    'ann',
  );
  t.match(after, {
    token: { reference: null, digest: /^[0-9a-f]{8}$/ },
    secrets: [
      { reference: null, digest: /^[0-9a-f]{8}$/ },
      { reference: 'env:PASSWORD', digest: null },
    ],
  });
  t.equal(after.secrets.length, 2);
  const kept = await node.put('shop', { provider: 'emp', networks: ['192.0.2.0/24'] }, 'ann');
  t.strictSame(kept.before, after);
  t.strictSame(kept.after.secrets, after.secrets);
  t.strictSame(kept.after.token, after.token);
  const rotated = await node.put('shop', { provider: 'emp', secrets: ['another-secret'] }, 'ann');
  t.strictSame(rotated.after.token, after.token);
  t.equal(rotated.after.secrets.length, 1);
  t.not(rotated.after.secrets[0]?.digest, after.secrets[0]?.digest);
  const all = JSON.stringify(node.list());
  for (const secret of [TOKEN, 'hunter2', 'another-secret', 'of-the-file', 'from-the-environment']) {
    t.notOk(all.includes(secret), secret);
  }
  for (const secret of [TOKEN, 'hunter2-hunter2', 'from-the-environment', 'another-secret'])
    t.ok(secrets.has(secret), `the log is told of ${secret}`);
});

t.test('what is refused is not saved, and says why without a secret', async (t) => {
  const { node, file, follow, served } = await start(t, ['file']);
  await t.rejects(node.put('shop', SETTINGS, 'ann'), { code: 'TETHER_POSTGRES_UNAVAILABLE' });
  await follow();
  const cases: [string, object, RegExp][] = [
    ['Shop', SETTINGS, /name: is 1 to 63/],
    ['shop', { ...SETTINGS, token: 'short' }, /endpoint shop: token: has fewer than 16/],
    ['shop', { ...SETTINGS, token: 'not/a/hunter2-token' }, /endpoint shop: token: is 1 to 128 letters/],
    ['shop', { ...SETTINGS, secrets: ['test-api-password-1'] }, /secrets: the password of the doc/],
    ['shop', { ...SETTINGS, provider: 'nobody' }, /endpoint shop: provider: is one of emp/],
    ['shop', { ...SETTINGS, actor: 'other' }, /actor: other is not there; known: payment, own/],
    ['shop', { ...SETTINGS, name: 'shop' }, /endpoint shop: name is not a field/],
    ['shop', { ...SETTINGS, secret: 'x' }, /secret is not a field \(did you mean secrets\?\)/],
    ['shop', { ...SETTINGS, options: { a: 1 } }, /options: a is not a field/],
    [
      'shop',
      { provider: 'emp' },
      /endpoint shop: token: is missing; endpoint shop: secrets: needs at least one/,
    ],
    [
      'shop',
      { ...SETTINGS, secrets: ['file:/none'] },
      /secrets\[0\]: the reference cannot be followed on this node$/,
    ],
    [
      'shop',
      { ...SETTINGS, token: `file:${file}` },
      /token: the reference cannot be followed|token: is 1 to 128/,
    ],
    ['shop', { ...SETTINGS, secrets: ['env:TETHER_API_TOKEN'] }, /cannot be followed/],
  ];
  for (const [name, settings, message] of cases) {
    const failure = await node.put(name, settings as never, 'ann').catch((error: Error) => error);
    t.match(failure, { code: 'TETHER_ENDPOINT_REFUSED', message }, String(message));
    t.notMatch(String(failure), /hunter2/);
  }
  t.strictSame(await shared.list(), []);
  t.strictSame(served, ['file']);
});

t.test(
  'a name of the file is not for the API; what is saved under it is not served, and can go',
  async (t) => {
    const { node, follow, write, is, shown } = await start(t, ['file']);
    await follow();
    await t.rejects(node.put('file', SETTINGS, 'ann'), { code: 'TETHER_ENDPOINT_CONFIGURED' });
    await t.rejects(node.remove('file'), { code: 'TETHER_ENDPOINT_CONFIGURED' });
    await node.put('shop', SETTINGS, 'ann');
    write('file', 'shop');
    await node.reload();
    await is('file,shop');
    t.match(shown('shop'), [
      { source: 'file', served: true },
      { source: 'api', served: false, problems: [/configuration of this node/] },
    ]);
    t.match(endpointFindings(node), [{ code: 'endpoints-not-served', detail: /shop: the configuration/ }]);
    t.match(await node.remove('shop'), { name: 'shop', source: 'api' });
    t.match(shown('shop'), [{ source: 'file' }]);
    write('file');
    await node.reload();
    await is('file');
  },
);

t.test('targets follow the file, and what is saved goes to those that are there', async (t) => {
  const { node, file, follow, served, targets, secrets, look, is, shown } = await start(t, ['file']);
  await follow();
  const routed = { provider: 'stripe', token: TOKEN, secrets: ['whsec_x'], routes: [{ to: 'forward:shop' }] };
  await t.rejects(node.put('pay', routed, 'ann'), {
    code: 'TETHER_ENDPOINT_REFUSED',
    message: /routes\[0\]\.to: target shop is not there; known: none$/,
  });
  const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
  const target = (url: string) =>
    `targets: [{ name: shop, url: '${url}', secrets: [${secret}], headers: { authorization: Bearer hunter2-hunter2 } }]\n`;
  const write = (...parts: string[]) => writeFileSync(file, [yaml('file'), ...parts].join(''));
  write(target('https://shop.example/a'));
  await node.reload();
  t.equal(targets.at(-1), 'shop https://shop.example/a');
  for (const one of [secret, 'Bearer hunter2-hunter2']) t.ok(secrets.has(one), 'the log is told of it');
  t.match((await node.put('pay', routed, 'ann')).after, { served: true });
  t.equal(served.at(-1), 'file,pay');
  write(target('https://shop.example/b'));
  await node.reload();
  t.equal(targets.at(-1), 'shop https://shop.example/b');
  t.match(node.targets(), [{ name: 'shop', url: 'https://shop.example/b' }]);
  const calls = served.length;
  write(target('no URL'));
  await node.reload();
  t.match(node.file()?.problems, [/target shop: url: is no URL$/]);
  t.equal(served.length, calls, 'what was read before is served on');
  write();
  await node.reload();
  look();
  await is('file');
  t.match(shown('pay'), [{ served: false, problems: [/target shop is not there/] }]);
  write(target('https://shop.example/a'));
  await node.reload();
  look();
  await is('file,pay');
});

t.test('a broken file changes nothing, and is told of', async (t) => {
  const { node, file, served, lines } = await start(t, ['file']);
  writeFileSync(file, `${yaml('other')}${entry('x').replace('emp', 'nobody')}`);
  await node.reload();
  t.strictSame(served, []);
  t.match(node.file(), { path: file, problems: [/endpoint x: provider/] });
  t.match(endpointFindings(node), [
    { severity: 'warning', code: 'endpoints-file-refused', detail: /endpoint x/ },
  ]);
  t.match(node.reloads, { taken: 0 });
  t.ok(node.reloads.refused > 0);
  t.match(lines[0], /the endpoints file is refused/);
  writeFileSync(file, yaml('other'));
  await node.reload();
  t.strictSame(served, ['other and others']);
  t.strictSame(endpointFindings(node), []);
});

t.test('what this node cannot serve is left out and told of once; the rest holds', async (t) => {
  const saved = { ...SETTINGS, secrets: ['env:ELSEWHERE'] };
  await shared.save('far', saved, 'ann', undefined);
  await shared.save('later', { ...SETTINGS, provider: 'of-a-later-release' }, 'ann', undefined);
  await shared.save('near', SETTINGS, 'ann', undefined);
  const { node, follow, served, lines, look, shown } = await start(t);
  await follow();
  t.equal(served.at(-1), 'near');
  look();
  await until('it was looked', () => node.list().length === 3);
  t.equal(lines.filter((line) => line.includes('cannot be served here')).length, 2);
  t.match(shown('far'), [{ served: false, problems: [/the reference cannot be followed/] }]);
  const there = await start(t, [], shared, { ...ENV, ELSEWHERE: 'it is here' });
  await there.follow();
  t.equal(there.served.at(-1), 'far,near');
});

t.test('a secret in a file is followed, though the row stays as it is', async (t) => {
  const { node, follow, look, secrets, directory } = await start(t);
  await follow();
  const path = join(directory, 'password');
  writeFileSync(path, 'the-first-password\n');
  await node.put('shop', { ...SETTINGS, secrets: [`file:${path}`] }, 'ann');
  t.ok(secrets.has('the-first-password'));
  writeFileSync(path, 'the-second-password\n');
  look();
  await until('it is followed', () => secrets.has('the-second-password'));
});

t.test(
  'while Postgres is away what held holds on, and before it was there nobody says that there are no others',
  async (t) => {
    await shared.save('shop', SETTINGS, 'ann', undefined);
    const away = new URL(url);
    away.port = '1';
    const gone = createPool({
      url: away.href,
      connectionsMax: 1,
      applicationName: 'test',
      logger: silentLogger,
      connectMsMax: 500,
    });
    t.teardown(() => gone.end());
    const tables = [new EndpointsTable(gone), shared];
    let at = 0;
    const now = () => tables[at] ?? shared;
    const table = {
      stamp: () => now().stamp(),
      list: () => now().list(),
      get: (name: string) => now().get(name),
    } as EndpointsTable;
    const { node, follow, served, lines, look, is, write } = await start(t, ['file'], table);
    await follow();
    t.strictSame(served, []);
    write('file', 'more');
    await node.reload();
    t.strictSame(served, ['file,more and others']);
    await t.rejects(node.put('new', SETTINGS, 'ann'), { code: 'TETHER_POSTGRES_UNAVAILABLE' });
    at = 1;
    await until('it follows', () => {
      look();
      return served.at(-1) === 'file,more,shop';
    });
    at = 0;
    await until('it was looked for', () => {
      look();
      return lines.filter((line) => line.includes('cannot be read')).length === 2;
    });
    write('file');
    await node.reload();
    await is('file,shop');
  },
);

t.test('changes at once are all made, one after the other', async (t) => {
  const [one, other] = await Promise.all([start(t), start(t)]);
  await Promise.all([one.follow(), other.follow()]);
  await one.node.put('shop', SETTINGS, 'ann');
  const networks = [1, 2, 3, 4, 5, 6].map((n) => `192.0.2.${n}/32`);
  await Promise.all(
    networks.map((network, at) =>
      (at % 2 === 0 ? one : other).node.put('shop', { provider: 'emp', networks: [network] }, `${at}`),
    ),
  );
  const saved = await shared.get('shop');
  t.match(saved?.settings, { token: TOKEN, secrets: SETTINGS.secrets });
  one.look();
  other.look();
  for (const { shown } of [one, other])
    await until('both have the last', () => shown('shop')[0]?.changedBy === saved?.changedBy);
});
