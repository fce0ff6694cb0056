import { createHash } from 'node:crypto';
import t from 'tap';
import { MessageIdSource } from '../../runtime/message-id.js';
import { startTestPostgres } from './test-server.js';
import { type NewToken, Tokens } from './tokens.js';

const { pool } = await startTestPostgres(t);
const tokens = new Tokens(pool);
const ids = new MessageIdSource();
const DAY_MS = 24 * 60 * 60 * 1000;

function fresh(more: Partial<NewToken> = {}): NewToken {
  const id = ids.next(Date.now());
  const hash = createHash('sha256').update(id).digest();
  return { id, client: 'acme', note: '', hash, scopes: ['uploads:read'], ...more };
}

t.test('a token is found by its hash, and by nothing else', async (t) => {
  const token = fresh({ note: 'nightly', scopes: ['uploads:read', 'uploads:write'] });
  const created = await tokens.create(token);
  t.match(created, { client: 'acme', note: 'nightly', scopes: token.scopes, createdAt: Date });
  t.match(created, { expiresAt: undefined, revokedAt: undefined, usedAt: undefined });
  t.strictSame(await tokens.find(token.hash), created);
  t.equal(await tokens.find(fresh().hash), undefined);
  await t.rejects(tokens.create(fresh({ hash: token.hash })), { code: 'TETHER_POSTGRES_QUERY' });
});

t.test('what is revoked or expired is not found, and stays in the list', async (t) => {
  const [revoked, expired, kept] = [fresh(), fresh({ expiresInDays: 0 }), fresh({ expiresInDays: 2 })];
  for (const token of [revoked, expired, kept]) await tokens.create(token);
  const first = await tokens.revoke(revoked.id);
  t.type(first?.revokedAt, Date);
  t.strictSame(await tokens.revoke(revoked.id), first, 'again');
  t.equal(await tokens.revoke(fresh().id), undefined, 'there is none');
  t.equal(await tokens.find(revoked.hash), undefined);
  t.equal(await tokens.find(expired.hash), undefined);
  const days = ((await tokens.find(kept.hash))?.expiresAt?.getTime() ?? 0) - Date.now();
  t.ok(Math.abs(days - 2 * DAY_MS) < DAY_MS / 20, 'in two days');
  const listed = (await tokens.list()).map(({ id }) => id);
  t.strictSame(listed.slice(0, 3), [kept.id, expired.id, revoked.id], 'the latest first');
});

t.test('its use is written once a minute', async (t) => {
  const token = fresh();
  await tokens.create(token);
  const usedAt = async () => (await tokens.find(token.hash))?.usedAt?.getTime();
  await tokens.used(token.id);
  const first = await usedAt();
  t.type(first, 'number');
  await tokens.used(token.id);
  t.equal(await usedAt(), first, 'within the minute');
  await pool.query(`UPDATE tokens SET used_at = now() - interval '61 seconds' WHERE id = $1`, [token.id]);
  await tokens.used(token.id);
  t.ok(((await usedAt()) ?? 0) >= (first ?? 0), 'after it');
});
