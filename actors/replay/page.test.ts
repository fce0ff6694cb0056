/** Pages whose bodies are in the archive; of a whole replay, see `archived.test.ts`. */
import t from 'tap';
import { ManualClock } from '../../runtime/clock.js';
import { empBody, openBench } from '../archive/test/bench.js';
import { handlingSchema } from '../webhook/route-settings.js';
import { Routes } from '../webhook/routes.js';
import { decidePage } from './page.js';
import { type EventPage, readPage } from './selection.js';

const COUNT = 60;
const SLOW_MS = 250;
const bench = await openBench(t);
const { pool, payloads, objects } = bench;
const ids = await bench.insert(Array.from({ length: COUNT }, (_, n) => empBody(n)));
const routes = new Routes({ shop: handlingSchema.parse({ actor: 'ledger' }) });
const to = { id: 'r1', forced: false, target: 'ledger' };
const selection = { filter: {} };

/** The fetches of each page that takes no more than a second, but for the last one; and what came. */
async function allBy(limit: number) {
  const clock = new ManualClock();
  objects.before = () => clock.advance(SLOW_MS);
  const pages: number[] = [];
  const seen: string[] = [];
  let cursor: string | undefined;
  for (;;) {
    const [begunAt, reads] = [clock.now(), objects.reads];
    const page: EventPage = await readPage(pool, selection, cursor, limit);
    const isTimeOver = () => clock.now() - begunAt >= 1_000;
    const decided = await decidePage(page, to, { payloads, routes }, isTimeOver);
    seen.push(...decided.handovers.map(({ message }) => message.id));
    pages.push(objects.reads - reads);
    cursor = decided.cursor;
    if (decided.isEnd) return { pages, seen };
    if (pages.length > COUNT) throw new Error('it comes to no end');
  }
}

t.test('bodies in Postgres: nothing is fetched, whatever the time', async (t) => {
  const page = await readPage(pool, selection, undefined, 500);
  t.equal((await decidePage(page, to, { payloads, routes }, () => false)).handovers.length, COUNT);
  t.equal(objects.reads, 0);
});

t.test('slow bodies: pages end early, and each event comes once, in order', async (t) => {
  await bench.run({ limits: { eventsMax: 50_000, payloadBytesMax: 32 * 1024 * 1024, blockBytes: 700 } });
  const [blocks] = await bench.rows<{ n: number }>('SELECT count(DISTINCT block_at)::int AS n FROM events');
  t.ok((blocks?.n ?? 0) >= COUNT / 2);
  const { pages, seen } = await allBy(500);
  t.strictSame(seen, ids);
  t.ok(pages.length > 5 && pages.every((reads) => reads <= 5), `${pages}`);
  t.strictSame((await allBy(7)).seen, ids, 'from the cache, and of pages that end by their rows');
});

t.test('when the time is over from the start, it moves on all the same', async (t) => {
  const page = await readPage(pool, selection, undefined, 500);
  const decided = await decidePage(page, to, { payloads, routes }, () => true);
  t.match(decided, { isEnd: false, cursor: ids[decided.handovers.length - 1] });
  t.ok(decided.handovers.length > 0);
});

t.test('of what is left out before, no body is fetched', async (t) => {
  const none = { payloadOf: () => Promise.reject(new Error('it was fetched')) };
  const page = await readPage(pool, selection, undefined, 500);
  const how = { ...to, target: undefined };
  t.strictSame(await decidePage(page, how, { payloads: none, routes }, () => false), {
    handovers: [],
    leftOut: { payment: COUNT },
    cursor: ids.at(-1),
    isEnd: true,
  });
});
