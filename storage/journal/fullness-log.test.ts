import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { appendText, part } from '../log-contract.js';
import { FullnessLog, OPEN_MS_MIN } from './fullness-log.js';
import type { Journal } from './journal.js';
import { FaultyFileSystem, KIB, ManualClock, openSmall, temporaryDirectory } from './testing.js';

const LIMIT = 'the journal is full: its size limit is reached';
const DISK = 'the journal is full: the disk does not take another segment';
const OPEN = 'the journal is open again';

interface Line {
  readonly level: 'info' | 'warn';
  readonly fields: object;
  readonly message: string;
}

/** What is logged of a journal being full. */
function collect() {
  const lines: Line[] = [];
  const add = (level: Line['level']) => (fields: object, message: string) => {
    if ([LIMIT, DISK, OPEN].includes(message)) lines.push({ level, fields, message });
  };
  return { lines, logger: { ...silentLogger, info: add('info'), warn: add('warn') } };
}

async function fill(journal: Journal): Promise<void> {
  while (journal.state !== 'full') {
    await appendText(part(journal, 'a', 0), 'x'.repeat(2_000)).catch(() => undefined);
  }
}

t.test('the size limit: full is said once, open when it lasts', async (t) => {
  const { lines, logger } = collect();
  const clock = new ManualClock();
  const bytesMax = 3 * 64 * KIB;
  const journal = await openSmall(t, temporaryDirectory(t), { bytesMax, logger, clock });
  const partition = part(journal, 'a', 0);
  for (let round = 0; round < 5; round++) {
    await fill(journal);
    partition.commit(partition.end);
    await until('open again', () => journal.state === 'open');
  }
  t.strictSame(lines, [{ level: 'warn', fields: { bytesMax }, message: LIMIT }], 'five times, one line');
  t.equal(clock.elapse(OPEN_MS_MIN), 1);
  t.strictSame(lines.slice(1), [{ level: 'info', fields: { timesFull: 5 }, message: OPEN }]);

  await fill(journal);
  t.same(
    lines.map(({ message }) => message),
    [LIMIT, OPEN, LIMIT],
    'and from the beginning',
  );
  t.equal(clock.elapse(OPEN_MS_MIN), 0);
});

t.test('the disk: its error is said', async (t) => {
  const { lines, logger } = collect();
  const { fs, faults } = new FaultyFileSystem();
  const journal = await openSmall(t, temporaryDirectory(t), { fs, logger });
  faults.set('write', 'ENOSPC');
  await fill(journal);
  t.match(lines, [{ level: 'warn', fields: { err: { code: 'ENOSPC' } }, message: DISK }]);
});

t.test('a journal that is closed soon after is not said to be open', async (t) => {
  const { lines, logger } = collect();
  const clock = new ManualClock();
  const log = new FullnessLog({ logger, clock, bytesMax: 1 });
  for (const state of ['full', 'open', 'closing'] as const) log.changed(state, undefined);
  t.equal(clock.elapse(OPEN_MS_MIN), 0);
  t.equal(lines.length, 1);
});
