/** The page `docs/how-to/trace.md`, done as it says: its module, loaded before all others, in the main thread and those of actors. */
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

t.setTimeout(120_000);

const PAGE = readFileSync('docs/how-to/trace.md', 'utf8');
const MODULE = /```js\n([\s\S]*?)```/.exec(PAGE)?.[1] ?? '';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

t.test('the module of the page traces a webhook into its actor', async (t) => {
  const dir = t.testdir({
    'tracing.mjs': MODULE,
    'endpoints.yaml':
      'endpoints: [{ name: emp, provider: emp, token: a-token, secrets: [a-password], actor: seen }]',
    'seen.js': `import { defineActor } from 'tether';
      export default defineActor({
        type: 'seen', scope: 'key', batchMax: 1,
        receive: ([{ traceparent }], { logger }) => logger.info({ traceparent }, 'seen'),
      });`,
  });
  const dataDir = mkdtempSync(join(tmpdir(), 'tether-trace-'));
  await copyTestData(postgresDir(dataDir));
  const node = startNodeProcess({
    port: await freePort(),
    dataDir,
    env: {
      TETHER_ACTORS: join(dir, 'seen.js'),
      TETHER_ENDPOINTS: join(dir, 'endpoints.yaml'),
      NODE_OPTIONS: `--import ${join(dir, 'tracing.mjs')}`,
    },
  });
  t.teardown(async () => {
    if (isAlive(node.pid)) await node.killTree((pids) => pids);
    rmSync(dataDir, { recursive: true, force: true });
  });
  await node.ready;
  const signature = createHash('sha1').update('aa11a-password').digest('hex');
  const answer = await fetch(`${node.url}/webhooks/emp/a-token`, {
    method: 'POST',
    headers: { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` },
    body: new URLSearchParams({ unique_id: 'aa11', status: 'approved', signature }),
  });
  t.equal(answer.status, 200);
  await until('it is seen', () => node.output().includes('"msg":"seen"'), 30_000);
  t.equal(await node.stop('SIGINT'), 0);
  const output = node.output();
  for (const name of ['POST /webhooks/{endpoint}', 'actor.receive']) t.match(output, `name: '${name}'`);
  t.equal(output.split(`traceId: '${TRACE}'`).length - 1, 4, 'two spans, each with its parent in the trace');
});
