import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../../runtime/testing/seed.js';
import { inTransaction } from '../../../storage/postgres/pool.js';
import { startTestPostgres } from '../../../storage/postgres/test-server.js';
import { CopyRows, copyJson, copyText } from './copy-text.js';

const { pool } = await startTestPostgres(t, { migrated: false });
await pool.query('CREATE TABLE kept (n integer, value text, data jsonb)');
const seed = testSeed(t);

const whole = (text: string) => text.replace(/\0|\p{Surrogate}/gu, '\uFFFD');
const special = fc.constantFrom(
  '\\',
  '\t',
  '\n',
  '\r',
  '\0',
  '\\N',
  '\\.',
  "'",
  '"',
  '\u007f',
  '\ud800',
  '😀',
  'é',
  '',
);
const text = fc
  .array(fc.oneof(special, fc.string({ unit: 'binary', maxLength: 5 }), fc.string({ maxLength: 5 })), {
    maxLength: 8,
  })
  .map((parts) => parts.join(''));
const row = fc.record({ value: fc.option(text), data: fc.option(fc.dictionary(text, text, { maxKeys: 4 })) });

t.test(
  'any text and any plain data comes back as it went in, but for what Postgres cannot keep',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 60 }),
        fc.func(fc.boolean()),
        async (given, taken) => {
          await pool.query('TRUNCATE kept');
          const rows = new CopyRows();
          const removed = new Set<number>();
          for (const [n, { value, data }] of given.entries()) {
            rows.add(`${n}\t${copyText(value ?? undefined)}\t${copyJson(data ?? undefined)}\n`);
            if (taken(n)) removed.add(n);
          }
          t.equal(rows.count, given.length);
          rows.remove(removed);
          t.equal(rows.count, given.length - removed.size);
          await inTransaction(pool, (transaction) =>
            transaction.copyFrom('COPY kept FROM STDIN', rows.chunks()),
          );
          const { rows: kept } = await pool.query('SELECT * FROM kept ORDER BY n');
          const expected = given.flatMap(({ value, data }, n) =>
            removed.has(n)
              ? []
              : [
                  {
                    n,
                    value: value === null ? null : whole(value),
                    data:
                      data === null
                        ? null
                        : Object.fromEntries(
                            Object.entries(data).map(([key, each]) => [whole(key), whole(each)]),
                          ),
                  },
                ],
          );
          t.same(kept, expected);
          if (!t.passing()) throw new Error('not as it went in');
        },
      ),
      { seed, numRuns: 60 },
    );
  },
);

t.test('chunks are small, whatever the rows are', async (t) => {
  const rows = new CopyRows();
  const long = `${'é'.repeat(300_000)}\n`;
  for (let n = 0; n < 3_000; n++) rows.add(`${n}\t${n}\t\\N\n`);
  rows.add(long);
  rows.add('1\t1\t\\N\n');
  const chunks = [...rows.chunks()];
  t.ok(chunks.every(({ length }) => length <= 128 * 1024));
  t.equal(
    chunks.reduce((sum, { length }) => sum + length, 0),
    rows.bytes,
  );
  rows.remove(new Set(Array.from({ length: 3_000 }, (_, n) => n)));
  t.equal(Buffer.concat([...rows.chunks()]).toString(), `${long}1\t1\t\\N\n`);
  rows.remove(new Set([0]));
  t.equal(Buffer.concat([...rows.chunks()]).toString(), '1\t1\t\\N\n');
  rows.remove(new Set([0]));
  t.strictSame([...rows.chunks()], []);
});
