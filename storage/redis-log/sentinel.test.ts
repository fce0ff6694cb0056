import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { appendText, part, readTexts } from '../log-contract.js';
import { startTestSentinel } from '../redis/test-redis-server.js';
import { openRedisLog } from './open.js';

t.test('a master that dies is replaced, and what replicas confirmed is there', async (t) => {
  const { url, master, replica } = await startTestSentinel(t);
  const log = await openRedisLog({ url, partitions: 4, replicas: 1, replyMsMax: 1_000 });
  t.teardown(() => log.close());
  const partition = part(log, 'a', 0);
  for (const text of ['1', '2', '3']) await appendText(partition, text);
  t.equal(
    await replica.client.hget('tether:{a/0}:state', 'end'),
    '3',
    'the replica has it when it is acknowledged',
  );

  await master.kill();
  await until('it is away', () => log.state === 'away');
  // No replica is left to confirm anything: nothing may be acknowledged.
  await until('the replica is the master', () => log.state === 'open', 20_000);
  await t.rejects(appendText(partition, 'alone'), { code: 'TETHER_LOG_UNAVAILABLE' });
  t.strictSame((await readTexts(partition, 0)).slice(0, 3), ['1', '2', '3']);

  await master.start();
  await until(
    'the former master follows',
    async () =>
      appendText(partition, 'both').then(
        () => true,
        () => false,
      ),
    30_000,
  );
  t.equal((await readTexts(partition, 0)).at(-1), 'both');
});
