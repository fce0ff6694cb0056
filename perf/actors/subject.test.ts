import t from 'tap';
import { output, parseOutcome } from './subject.js';

const line = (value: object) => `noise\n${JSON.stringify(value)}\n`;

t.test('a rate counts when the proof holds and the runs are whole', async (t) => {
  const counting = { benchmark: 'counting', messages: 200_000, ms: 50, proof: [100_000] };
  t.strictSame(parseOutcome(line(counting), 'counting', 0.1), {
    kind: 'rate',
    messagesPerSecond: 4_000_000,
  });
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ ...counting, proof: [99_999] }, /the proof is 99999, not 100000/],
    [{ ...counting, messages: 150_000 }, /no whole runs of 100000/],
    [{ ...counting, benchmark: 'big' }, /the line is of big/],
    [{ ...counting, ms: 0 }, /no line of the protocol/],
    [{ benchmark: 'counting', bytesPerActivation: 5 }, /the line is of activations/],
  ];
  for (const [value, message] of wrong)
    t.throws(() => parseOutcome(line(value), 'counting', 0.1), { message });
  t.throws(() => parseOutcome('', 'counting', 0.1), { message: /no line of the protocol/ });
});

t.test('activations and what a subject lacks', async (t) => {
  t.strictSame(parseOutcome(line({ benchmark: 'activations', bytesPerActivation: 5 }), 'activations', 1), {
    kind: 'bytes',
    bytesPerActivation: 5,
  });
  t.strictSame(parseOutcome(line({ benchmark: 'big', skipped: true }), 'big', 1), { kind: 'skipped' });
});

t.test('a program that fails, hangs, floods or is not there', async (t) => {
  const node = (code: string) => ({ file: process.execPath, args: ['-e', code] });
  t.equal(await output(node('console.log(1)'), 30_000), '1\n');
  await t.rejects(output(node('process.exit(3)'), 30_000), { message: /ended with 3/ });
  await t.rejects(output(node('setInterval(() => {}, 1000)'), 500), { message: /not done in 500 ms/ });
  await t.rejects(output(node("console.log('x'.repeat(100000)); setInterval(() => {}, 1000)"), 30_000), {
    message: /characters on stdout/,
  });
  await t.rejects(output({ file: 'no-such-program', args: [] }, 30_000), { code: 'ENOENT' });
});
