import t from 'tap';
import { BENCHMARK_NAMES, taskOf } from './parameters.js';

t.test('the scale multiplies the amount of work and nothing else', async (t) => {
  t.strictSame(taskOf('big', 0.001), {
    parameters: { actors: 120, pings: 20 },
    messages: 4_800,
    proof: [2_400],
  });
  t.equal(taskOf('counting', 1e-9).messages, 1, 'at least one');
});

t.test('every benchmark has messages and a proof at every scale', async (t) => {
  for (const name of BENCHMARK_NAMES) {
    for (const scale of [0.000_1, 0.1, 1]) {
      const { messages, proof } = taskOf(name, scale);
      t.ok(Number.isSafeInteger(messages) && messages > 0, `${name} at ${scale}: ${messages}`);
      t.ok(proof.length > 0 && proof.every(Number.isFinite), `${name} at ${scale}: ${proof}`);
    }
  }
});
