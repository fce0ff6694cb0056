import t from 'tap';
import { UnknownEndpoints } from './unknown-endpoints.js';

const codes = (unknown: UnknownEndpoints, name: string, times: readonly number[]) =>
  times.map((at) => unknown.errorOf(name, at).code.replace('TETHER_WEBHOOK_ENDPOINT', '') || 'gone');

t.test('it waits for so long, whoever asks; then it is gone for all of them', async (t) => {
  const unknown = new UnknownEndpoints(10_000);
  t.strictSame(codes(unknown, 'a', [0, 5_000, 9_999, 10_000, 10_001, 19_000]), [
    ...['_PENDING', '_PENDING', '_PENDING'],
    ...['gone', 'gone', 'gone'],
  ]);
  t.strictSame(codes(unknown, 'b', [10_000]), ['_PENDING'], 'another is another');
});

t.test('one that was not asked for in a while, or was known, is new', async (t) => {
  const unknown = new UnknownEndpoints(10_000);
  t.strictSame(codes(unknown, 'a', [0, 9_000, 18_000, 28_001, 38_000, 38_001]), [
    ...['_PENDING', '_PENDING', 'gone'],
    ...['_PENDING', '_PENDING', 'gone'],
  ]);
  t.strictSame(
    codes(new UnknownEndpoints(300), 'a', [0, 1_000]),
    ['_PENDING', 'gone'],
    'a second is no while',
  );
  unknown.known('a');
  t.strictSame(codes(unknown, 'a', [38_002]), ['_PENDING']);
  t.strictSame(
    codes(unknown, 'a', [1_000, 10_999, 11_000]),
    ['_PENDING', '_PENDING', 'gone'],
    'a clock set back',
  );
});
