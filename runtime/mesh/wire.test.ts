import t from 'tap';
import { AskFailedError, MailboxFullError, OutageError, ReminderRefusedError } from '../errors.js';
import { failureOf } from '../failure.js';
import { fromWire, toWire } from './wire.js';

class Away extends OutageError {
  readonly code = 'STORE_AWAY';
}

t.test('an error keeps its class, or at least its code and what it means for a retry', async (t) => {
  const across = (error: Error) => fromWire(...toWire(error));
  for (const error of [new MailboxFullError('full'), new ReminderRefusedError('no')]) {
    t.ok(across(error) instanceof error.constructor);
    t.equal(across(error).message, error.message);
  }
  t.match(across(new AskFailedError('failed', 'TOLD')), { code: 'TETHER_ASK_FAILED', reason: 'TOLD' });
  const outage = across(new Away('away'));
  t.match(outage, { code: 'STORE_AWAY', message: 'away' });
  t.equal(failureOf(outage), 'outage');
  t.equal(failureOf(across(Object.assign(new Error(), { retryable: false }))), 'final');
  t.equal(failureOf(across(new Error('of no class'))), 'retryable');
});
