import t from 'tap';
import { EnvelopeError, OutageError } from './errors.js';
import { causeOf, failureOf } from './failure.js';

class Away extends OutageError {
  readonly code = 'AWAY';
}

t.test('the class decides', async (t) => {
  t.equal(failureOf(new Away('gone')), 'outage');
  t.equal(failureOf(new EnvelopeError('bad')), 'final');
  t.equal(failureOf(new Error('who knows')), 'retryable');
  t.equal(failureOf('a string'), 'retryable');
  t.equal(failureOf(undefined), 'retryable');
});

t.test('a cause is plain data of any thrown value', async (t) => {
  t.match(causeOf(new Away('gone')), { code: 'AWAY', message: 'gone', stack: /Away: gone/ });
  t.match(causeOf(new TypeError('x')), { code: 'TypeError', message: 'x' });
  t.strictSame(causeOf(undefined), { code: 'THROWN', message: 'undefined', stack: '' });
});
