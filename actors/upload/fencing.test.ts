/** A node that has lost an upload's partition without noticing writes no row of it any more, and keeps the next owner from nothing. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { type HoldEpochs, holdEpochs, raiseEpochs } from '../../storage/postgres/fence.js';
import type { Pool } from '../../storage/postgres/pool.js';
import { madeFile, openBench } from './test/bench.js';

const bench = await openBench(t);
const log = randomUUID();
const ROWS = 1_000;
/** About 128 rows of it make a piece, and with `batchRows` of 1 a batch. */
const WIDE = 2_000;

function owner(epoch: number): { readonly batchRows: number; readonly hold: HoldEpochs } {
  const hold: HoldEpochs = (transaction) => holdEpochs(transaction, log, 'upload', [{ partition: 3, epoch }]);
  return { batchRows: 1, hold };
}

t.test('it is paused in the midst of a file, and wakes up when another is done with it', async (t) => {
  const id = await bench.store('acme', madeFile([...Array(ROWS).keys()], WIDE));
  await raiseEpochs(bench.pool, log, 'upload', [{ partition: 3, epoch: 1 }]);
  let batches = 0;
  const paused: Pool = {
    ...bench.pool,
    query: (sql, values) => bench.pool.query(sql, values),
    async connect() {
      batches++;
      if (batches === 3) {
        await raiseEpochs(bench.pool, log, 'upload', [{ partition: 3, epoch: 2 }]);
        await bench.run(id, { resources: owner(2) });
      }
      return bench.pool.connect();
    },
  };
  await t.rejects(bench.run(id, { resources: { ...owner(1), pool: paused } }), {
    code: 'TETHER_FENCED',
    outage: true,
    partitions: [3],
  });
  t.match(await bench.look(id), { state: 'completed', total: ROWS, accepted: ROWS });
  t.strictSame(
    await bench.outcomes(id),
    Array.from({ length: ROWS }, (_, n) => [n + 2, 'accepted']),
    'each row once',
  );
});

t.test('it is at work on the same rows as the next owner: only that one comes forward', async (t) => {
  const id = await bench.store(
    'acme',
    madeFile(
      [...Array(ROWS).keys()].map((n) => 10_000 + n),
      WIDE,
    ),
  );
  await bench.run(id, { resources: owner(2), isTimeOver: () => true, slicesMax: 1 }).catch(() => undefined);
  const before = await bench.look(id);
  t.ok(before !== undefined && before.total > 0 && before.total < ROWS, 'in the midst of it');
  await raiseEpochs(bench.pool, log, 'upload', [{ partition: 3, epoch: 3 }]);
  // As the runtime does: an outage is tried again.
  const codes: unknown[] = [];
  const zombie = async () => {
    while ((await bench.look(id))?.state === 'processing') {
      await bench.run(id, { resources: owner(2) }).catch(({ code }) => codes.push(code));
    }
  };
  await Promise.all([bench.run(id, { resources: owner(3) }), zombie()]);
  // When all rows are written, whoever says so first completes it.
  if (codes.at(-1) === 'TETHER_UPLOAD_MOVED') codes.pop();
  t.ok(codes.length > 1);
  t.ok(codes.every((code) => code === 'TETHER_FENCED'));
  t.match(await bench.look(id), { state: 'completed', total: ROWS, accepted: ROWS });
  t.equal((await bench.outcomes(id)).length, ROWS);
});
