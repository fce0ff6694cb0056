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
          const kept = [...given.keys()].filter((n) => !removed.has(n));
          await inTransaction(pool, (transaction) =>
            transaction.copyFrom('COPY kept FROM STDIN', rows.chunks(kept)),
          );
          const { rows: read } = await pool.query('SELECT * FROM kept ORDER BY n');
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
          t.same(read, expected);
          if (!t.passing()) throw new Error('not as it went in');
        },
      ),
      { seed, numRuns: 60 },
    );
  },
);

t.test('chunks are of moderate size, and rows come in the order that is asked for', async (t) => {
  const rows = new CopyRows();
  const long = `${'é'.repeat(300_000)}\n`;
  for (let n = 0; n < 100; n++) rows.add('of a batch before\n');
  t.equal([...rows.chunks()].length, 1);
  rows.clear();
  for (let n = 0; n < 30_000; n++) rows.add(`${n}\t${n}\t\\N\n`);
  rows.add(long);
  rows.add('last\n');
  const read = (numbers?: Iterable<number>) => {
    const chunks = [...rows.chunks(numbers)];
    t.ok(chunks.every(({ length }) => length < 512 * 1024 + Buffer.byteLength(long)));
    return Buffer.concat(chunks).toString();
  };
  const all = read();
  t.equal(Buffer.byteLength(all), rows.bytes);
  t.equal(
    all.length,
    [...Array(30_000).keys()].reduce((sum, n) => sum + 2 * `${n}`.length + 5, long.length + 5),
  );
  t.ok(all.startsWith('0\t0\t\\N\n1\t1\t\\N\n') && all.endsWith(`29999\t\\N\n${long}last\n`));
  // To show the difference of texts so long would take minutes.
  t.ok(read([30_001, 30_000, 2, 0]) === `last\n${long}2\t2\t\\N\n0\t0\t\\N\n`);
  const short = all.slice(0, -long.length - 5).split(/(?<=\n)/);
  t.ok(read(Array.from({ length: 30_000 }, (_, n) => 29_999 - n)) === short.reverse().join(''));
  t.equal(read([]), '');
});
