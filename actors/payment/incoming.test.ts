import t from 'tap';
import { messageOf } from './harness.js';
import { messageKey, readBatch } from './incoming.js';

const none = new Set<string>();

t.test('the first of equal messages wins, the order stays', async (t) => {
  const messages = ['approved', 'declined', 'approved'].map((status) =>
    messageOf(`unique_id=a&status=${status}`),
  );
  const other = messageOf('unique_id=a&status=approved', 'other');
  const batch = readBatch([...messages, other], none);
  t.strictSame(
    [...batch.values()].map(({ message }) => message.id),
    [messages[0]?.id, messages[1]?.id, other.id],
  );
});

t.test('what is known is not even parsed', async (t) => {
  const message = { ...messageOf('unique_id=a&status=approved'), payload: new Uint8Array() };
  t.equal(readBatch([message], new Set([messageKey('emp', message.dedupe)])).size, 0);
  t.throws(() => readBatch([message], new Set([messageKey('other', message.dedupe)])), {
    code: 'TETHER_EMP_MALFORMED',
  });
});
