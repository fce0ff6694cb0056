import t from 'tap';
import { REMINDER_DUE_AT_MAX } from './reminder.js';
import { reminderMessage } from './reminder-id.js';

t.test('an id is a UUID of version 7 with the time of its schedule', async (t) => {
  const name = { actor: 'a', key: 'k', name: 'n' };
  for (const dueAt of [0, 1, 1_700_000_000_123, REMINDER_DUE_AT_MAX]) {
    const { messageId, dedupe } = reminderMessage(name, dueAt);
    t.match(messageId, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    t.equal(Number.parseInt(messageId.replace('-', '').slice(0, 12), 16), dueAt);
    t.equal(dedupe, `reminder:${messageId}`);
    t.strictSame(reminderMessage({ ...name }, dueAt), { messageId, dedupe }, 'the same again');
  }
});

t.test('it differs in each part of the name', async (t) => {
  const names = [
    ['a', 'k', 'n'],
    ['ak', '', 'n'],
    ['a', 'kn', ''],
    ['', 'ak', 'n'],
    ['a","k', 'n', ''],
    ['a', 'k","n', ''],
  ] as const;
  const ids = names.map(([actor, key, name]) => reminderMessage({ actor, key, name }, 5).messageId);
  t.equal(new Set(ids).size, names.length);
});
