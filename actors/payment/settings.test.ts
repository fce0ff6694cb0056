import t from 'tap';
import { fillPaymentSettings } from './settings.js';

const given = {
  databaseUrl: 'postgres://u:secret@h/d',
  blacklistCodes: ['AC04'],
  idempotencyEntriesMax: 1000,
};

t.test('filled and frozen', async (t) => {
  const filled = fillPaymentSettings(given);
  t.strictSame(filled, {
    ...given,
    connectionsMax: 2,
    redisPrefix: 'tether',
    redisEntriesMax: 1_000_000,
  });
  t.ok(Object.isFrozen(filled));
});

t.test('wrong ones are named, without their values', async (t) => {
  const wrong: [unknown, RegExp][] = [
    [undefined, /settings: invalid_type/],
    [{ ...given, databaseUrl: '' }, /databaseUrl/],
    [{ ...given, connectionsMax: Number.NaN }, /connectionsMax/],
    [{ ...given, connectionsMax: 0 }, /connectionsMax/],
    [{ ...given, idempotencyEntriesMax: 1.5 }, /idempotencyEntriesMax/],
    [{ ...given, blacklistCodes: 'AC04' }, /blacklistCodes/],
    [{ ...given, redisUrl: 'http://u:secret@h' }, /redisUrl/],
    [{ ...given, fencedBy: 'secret' }, /fencedBy/],
    [{ ...given, unknown: 1 }, /unrecognized/],
  ];
  for (const [settings, message] of wrong) {
    try {
      fillPaymentSettings(settings);
      t.fail(`accepted: ${message}`);
    } catch (error) {
      t.match(String(error), message);
      t.notMatch(String(error), /secret/);
    }
  }
});
