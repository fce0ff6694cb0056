import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { appendText, type ContractTest, part, testMessageLog } from '../log-contract.js';
import { startTestCluster } from '../redis/test-redis-server.js';
import { openRedisLog } from './open.js';

const prefixes = new WeakMap<ContractTest, string>();
let count = 0;

t.test('three masters', async (t) => {
  const { url, nodes } = await startTestCluster(t);
  const open = async (t: ContractTest) => {
    const prefix = prefixes.get(t) ?? `t${count++}`;
    prefixes.set(t, prefix);
    const log = await openRedisLog({ url, prefix, partitions: 4 });
    t.teardown(() => log.close());
    return log;
  };
  testMessageLog(t, open);

  t.test('the partitions are spread, and what one process appends another hears of', async (t) => {
    const [writer, reader] = [await open(t), await open(t)];
    const actors = ['a', 'b', 'c', 'd'];
    for (const actor of actors) {
      for (let index = 0; index < 4; index++)
        await appendText(part(writer, actor, index), `${actor}${index}`);
    }
    const sizes = await Promise.all(nodes.map(({ client }) => client.dbsize()));
    t.ok(
      sizes.every((size) => size > 0),
      `keys of each master: ${sizes}`,
    );
    for (const actor of actors) {
      await until(`${actor} is heard of`, () => reader.open(actor).every(({ end }) => end === 1));
    }
  });
});
