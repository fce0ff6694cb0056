import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { holdEpochs, raiseEpochs } from '../../storage/postgres/fence.js';
import { createPool, inTransaction } from '../../storage/postgres/index.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { EpochRaiser } from './epoch-raiser.js';

/** Of a log. */
const LOG = '3b1f7f0a-52f3-4a3a-9b1d-0c6f2f6f1c11';

t.test('epochs are raised together, and one that is held does not hold up the others', async (t) => {
  const { pool, url } = await startTestPostgres(t);
  const own = createPool({
    url,
    connectionsMax: 4,
    applicationName: 'raiser',
    logger: silentLogger,
    statementMsMax: 2_000,
  });
  t.teardown(() => own.end());
  const raiser = new EpochRaiser(own, LOG);
  const all = Array.from({ length: 64 }, (_, partition) => partition);
  const raiseAll = (epoch: number, but: readonly number[] = []) =>
    Promise.all(
      all
        .filter((index) => !but.includes(index))
        .flatMap((index) => [raiser.raise('b', index, epoch), raiser.raise('a', index, epoch)]),
    );
  const transactions = async () => {
    const { rows } = await pool.query<{ n: string }>(
      'select count(distinct xmin::text) as n from partition_epochs',
    );
    return Number(rows[0]?.n);
  };
  await raiseAll(1);
  t.equal(await transactions(), 1, 'one transaction for all that came at once');

  let isHeld = false;
  let letGo = () => {};
  const held = inTransaction(pool, async (transaction) => {
    await holdEpochs(transaction, LOG, 'a', [{ partition: 7, epoch: 1 }]);
    isHeld = true;
    await new Promise<void>((resolve) => {
      letGo = resolve;
    });
  });
  await until('it is held', () => isHeld);
  let isRaised = false;
  const late = raiser.raise('a', 7, 2).then(() => {
    isRaised = true;
  });
  await raiseAll(2, [7]);
  t.notOk(isRaised, 'the others are raised before');
  letGo();
  await held;
  await late;

  const outcomes = await Promise.allSettled([
    raiser.raise('a', 1, 2),
    raiser.raise('a', 2, 3),
    raiser.raise('b', 3, 1),
    raiser.raise('c', 0, 1),
  ]);
  t.strictSame(
    outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'raised' : outcome.reason.code)),
    ['TETHER_FENCED', 'raised', 'TETHER_FENCED', 'raised'],
  );
  t.strictSame(await raiseEpochs(pool, LOG, 'a', [{ partition: 2, epoch: 3 }]), [2], 'it stands there');
});
