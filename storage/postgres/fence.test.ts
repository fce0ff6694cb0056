import { randomUUID } from 'node:crypto';
import t from 'tap';
import { FencedError } from '../../runtime/errors.js';
import { until } from '../../runtime/testing/until.js';
import { holdEpochs, raiseEpochs } from './fence.js';
import { inTransaction, type Queryable } from './pool.js';
import { startTestPostgres } from './test-server.js';

t.test('epochs', async (t) => {
  const { pool } = await startTestPostgres(t);
  const log = randomUUID();
  const at = (partition: number, epoch: number) => ({ partition, epoch });
  const hold = (...epochs: ReturnType<typeof at>[]) =>
    inTransaction(pool, (transaction) => holdEpochs(transaction, log, 'a', epochs));

  t.test('only the highest counts', async (t) => {
    t.strictSame(await raiseEpochs(pool, log, 'a', [at(1, 1), at(2, 5)]), []);
    await hold(at(1, 1), at(2, 5));
    t.strictSame(await raiseEpochs(pool, log, 'a', [at(1, 2), at(2, 5), at(3, 1)]), [2]);
    await hold(at(1, 2), at(2, 5), at(3, 1));
    await t.rejects(hold(at(1, 1)), FencedError);
    await t.rejects(hold(at(1, 3)), FencedError, 'nor one that was never raised');
    await t.rejects(hold(at(2, 5), at(1, 1), at(9, 1)), {
      code: 'TETHER_FENCED',
      message: 'another node reads partition 1, 9 of a',
      partitions: [1, 9],
    });
    await t.rejects(hold(), FencedError, 'nor nothing at all');
    t.strictSame(await raiseEpochs(pool, log, 'a', [at(1, 1)]), [1], 'an epoch does not go back');
  });

  t.test('logs and actors are apart', async (t) => {
    const other = randomUUID();
    await raiseEpochs(pool, other, 'a', [at(1, 9)]);
    await raiseEpochs(pool, log, 'b', [at(1, 8)]);
    await t.resolves(hold(at(1, 2)));
  });

  t.test(
    'a take-over waits for the transaction that holds the epoch, and what comes later is fenced',
    async (t) => {
      const order: string[] = [];
      let raising: Promise<unknown> | undefined;
      await inTransaction(pool, async (transaction) => {
        await holdEpochs(transaction, log, 'a', [at(1, 2)]);
        raising = raiseEpochs(pool, log, 'a', [at(1, 3)]).then(() => order.push('raised'));
        await until('it stands in line', () => isAnybodyWaiting(transaction));
        order.push('written');
      });
      await raising;
      t.strictSame(order, ['written', 'raised']);
      await t.rejects(hold(at(1, 2)), FencedError);
    },
  );

  t.test('a transaction that waits for a take-over finds the new epoch', async (t) => {
    const outcome = await inTransaction(pool, async (transaction) => {
      await transaction.query(
        'UPDATE partition_epochs SET epoch = 4 WHERE log = $1 AND actor = $2 AND partition = 1',
        [log, 'a'],
      );
      const holding = hold(at(1, 3)).then(
        () => 'held',
        (error: unknown) => error,
      );
      await until('it stands in line', () => isAnybodyWaiting(transaction));
      return { holding };
    });
    t.type(await outcome.holding, FencedError);
  });
});

async function isAnybodyWaiting(transaction: Queryable): Promise<boolean> {
  const { rows } = await transaction.query<{ waiting: boolean }>(
    'SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted) AS waiting',
  );
  return rows[0]?.waiting === true;
}
