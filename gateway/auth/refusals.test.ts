/** Requests without a valid token are counted, each; the log tells of them at once, and then no oftener than it may. */
import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { startTestGateway } from '../test/start.js';
import { LINE_MS } from './refusals.js';

t.test('each is counted, a flood is a line now and then, and no line has what was sent', async (t) => {
  const clock = { ms: 1_000_000 };
  const lines: object[] = [];
  const { ask, metrics } = await startTestGateway(t, {
    logger: { ...silentLogger, warn: (fields, message) => void lines.push({ ...fields, message }) },
    now: () => clock.ms,
    operations: { token: 'a-token-of-some-length', version: '1.0.0', routes: [] },
  });
  const guess = async (token: string, path = '/api/me') =>
    (
      await ask({
        method: 'GET',
        path,
        headers: [`Authorization: Bearer ${token}`, 'X-Forwarded-For: 192.0.2.7'],
      })
    ).status;
  for (let n = 0; n < 5; n++) t.equal(await guess(`guess-number-${n}`), 401);
  t.equal(lines.length, 1);
  t.match(lines[0], {
    ...{ count: 1, path: 'get /api/me', peer: '127.0.0.1', forwardedFor: '192.0.2.7' },
    message: /without a valid token/,
  });
  clock.ms += LINE_MS;
  t.equal(await guess('guess-number-5', `/api/${'x'.repeat(500)}`), 401);
  t.match(lines[1], { count: 5 });
  t.notMatch(JSON.stringify(lines), /guess-number|x{300}/);
  t.equal(await guess('a-token-of-some-length'), 200);
  t.match(await metrics.registry.metrics(), /^tether_gateway_token_refused_total 6$/m);
});
