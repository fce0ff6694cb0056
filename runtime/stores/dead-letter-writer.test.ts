import t from 'tap';
import { ManualClock } from '../clock.js';
import { silentLogger } from '../logger.js';
import { until } from '../testing/until.js';
import type { DeadLetter } from './dead-letter.js';
import { DeadLetterWriter } from './dead-letter-writer.js';

const letter = (id: string): DeadLetter => ({
  envelope: {
    id,
    actor: 'a',
    key: 'k',
    dedupe: id,
    receivedAt: 0,
    traceparent: '',
    payload: Buffer.alloc(0),
  },
  cause: { code: 'X', message: 'x', stack: '' },
  attempts: 1,
  deadAt: 0,
});

t.test('a letter is let go of when the sink has it, not before, however often the sink fails', async (t) => {
  const clock = new ManualClock();
  const batches: string[][] = [];
  let failures = 2;
  const sink = {
    async put(letters: readonly DeadLetter[]) {
      batches.push(letters.map(({ envelope }) => envelope.id));
      if (failures-- > 0) throw new Error('away');
    },
  };
  const writer = new DeadLetterWriter(sink, clock, silentLogger);
  const stored: string[] = [];
  for (const id of ['a', 'b', 'c']) writer.write(letter(id), () => stored.push(id));
  for (const failed of [1, 2]) {
    await until('the sink failed', () => clock.pending === 1);
    t.equal(batches.length, failed);
    t.strictSame(stored, []);
    t.equal(writer.pending, 3);
    clock.advance(10_000);
  }
  await until('all are stored', () => stored.length === 3);
  t.strictSame(stored, ['a', 'b', 'c']);
  t.equal(writer.written, 3);
  t.equal(writer.pending, 0);
});

t.test('after close nothing is let go of', async (t) => {
  const clock = new ManualClock();
  const sink = { put: () => Promise.reject(new Error('away')) };
  const writer = new DeadLetterWriter(sink, clock, silentLogger);
  writer.write(letter('a'), () => t.fail('it is not stored'));
  await until('the sink failed', () => clock.pending === 1);
  await writer.close();
  t.equal(clock.pending, 0, 'it waits no more');
  writer.write(letter('b'), () => t.fail('it is not stored'));
  t.equal(writer.pending, 1);
});
