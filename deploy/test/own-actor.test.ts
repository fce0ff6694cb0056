/** The page `docs/how-to/own-actor.md`, done as it says: its module, its endpoints file, its command. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { copyTestData } from '../../storage/postgres/test-data.js';
import { freePort } from '../../storage/test-free-port.js';
import { postgresDir } from '../data-dir.js';
import { isAlive, startNodeProcess } from './node-process.js';
import { spawnCli } from './spawn-cli.js';

t.setTimeout(120_000);

const PAGE = readFileSync('docs/how-to/own-actor.md', 'utf8');
const block = (language: string) => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(PAGE)?.[1] ?? '';

t.test('the module of the page handles the messages of its endpoint, in order', async (t) => {
  const dir = t.testdir({ actors: { 'watch.js': block('js') }, 'endpoints.yaml': block('yaml') });
  const dataDir = mkdtempSync(join(tmpdir(), 'tether-own-'));
  await copyTestData(postgresDir(dataDir));
  const start = async () => {
    const node = startNodeProcess({
      port: await freePort(),
      dataDir,
      env: {
        TETHER_ACTORS: join(dir, 'actors', '*.js'),
        TETHER_ENDPOINTS: join(dir, 'endpoints.yaml'),
        EMP_TOKEN: 'a-token-of-the-test',
        EMP_PASSWORD: 'a-password',
      },
    });
    t.teardown(async () => {
      if (isAlive(node.pid)) await node.killTree((pids) => pids);
    });
    await node.ready;
    return node;
  };
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const signature = createHash('sha1').update('aa11a-password').digest('hex');
  const statuses = Array.from({ length: 20 }, (_, n) => `status-${n}`);
  for (const life of [0, 1]) {
    const node = await start();
    for (const status of statuses) {
      const body = new URLSearchParams({ unique_id: 'aa11', status, signature });
      const answer = await fetch(`${node.url}/webhooks/emp/a-token-of-the-test`, { method: 'POST', body });
      t.equal(answer.status, 200);
    }
    const watched = () =>
      node
        .output()
        .split('\n')
        .filter((line) => line.includes('"msg":"watched"'))
        .map((line) => JSON.parse(line));
    await until('all are handled', () => watched().length === statuses.length, 30_000);
    t.strictSame(
      watched().map(({ key, status, seen }) => [key, status, seen]),
      statuses.map((status, n) => ['emp:aa11', status, life * statuses.length + n + 1]),
      'and the state of the life before is there',
    );
    t.equal(await node.stop('SIGINT'), 0);
  }
});

t.test('what is no actor stops the start, with its file and the reason', async (t) => {
  const actor = (type: string) =>
    `import { defineActor } from 'tether'; export default defineActor({ type: '${type}', scope: 'key', receive() {} });`;
  const dir = t.testdir({
    'broken.js': 'export default {',
    'empty.js': 'export const nothing = 1;',
    'formless.js': `export default { type: 'a b', scope: 'key', receive() {} };`,
    'payment.js': actor('payment'),
    'one.js': actor('one'),
    'two.js': actor('one'),
    'endpoints.yaml': 'endpoints: [{ name: emp, provider: emp, token: t, secrets: [s], actor: other }]',
  });
  const problems = async (env: Readonly<Record<string, string>>) => {
    const result = await spawnCli(['up'], { TETHER_DATA_DIR: join(dir, 'data'), ...env });
    t.equal(result.code, 78);
    return result.stderr.trimEnd().split('\n').sort();
  };
  t.match(await problems({ TETHER_ACTORS: `${dir}/*.js` }), [
    /broken\.js does not load: /,
    /empty\.js has no default export/,
    /formless\.js: actor type "a b"/,
    /payment\.js: there is an actor payment already, in Tether itself/,
    /two\.js: there is an actor one already, in .*one\.js/,
  ]);
  t.match(await problems({ TETHER_ACTORS: `${dir}/none.js, ${dir}/*.ts, ${dir}` }), [
    /TETHER_ACTORS: .* is no file; all of a directory: .*\*\.js/,
    /TETHER_ACTORS: .*\*\.ts matches no file/,
    /TETHER_ACTORS: .*none\.js cannot be read: ENOENT/,
  ]);
  t.match(await problems({ TETHER_ACTORS: `${dir}/one.js`, TETHER_ENDPOINTS: `${dir}/endpoints.yaml` }), [
    /endpoint emp: actor: other is not there; known: payment, one/,
  ]);
});
