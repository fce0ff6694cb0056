import t from 'tap';
import { silentLogger } from '../runtime/logger.js';
import { startTestGateway } from './test/start.js';

t.test('alive and ready', async (t) => {
  const { ask } = await startTestGateway(t);
  t.match(await ask({ path: '/livez' }), { status: 200, body: '{"status":"live"}' });
  for (const path of ['/readyz', '/health']) {
    const response = await ask({ path });
    t.match(response, { status: 200, headers: { 'content-type': 'application/json' } }, path);
    t.same(JSON.parse(response.body), { status: 'ready', checks: { log: 'ok' } });
  }
});

t.test('a failing check is named', async (t) => {
  const checks = { log: 'ok', database: 'no connection' };
  const { ask } = await startTestGateway(t, { readiness: () => ({ ready: false, checks }) });
  for (const path of ['/readyz', '/health']) {
    const response = await ask({ path });
    t.equal(response.status, 503, path);
    t.same(JSON.parse(response.body), { status: 'unready', checks });
  }
  t.match(await ask({ path: '/livez' }), { status: 200 }, 'alive all the same');
});

t.test('a check that throws has failed, and is logged', async (t) => {
  const logged: string[] = [];
  const { ask } = await startTestGateway(t, {
    readiness: () => {
      throw new Error('broken');
    },
    logger: { ...silentLogger, error: (_, message) => logged.push(message) },
  });
  const response = await ask({ path: '/readyz' });
  t.equal(response.status, 503);
  t.notMatch(response.body, 'broken');
  t.same(logged, ['the readiness check failed']);
});
