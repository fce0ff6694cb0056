/** What actors keep when their process is killed, again and again: states in snapshots, messages of the log, and reminders. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { startWorkers } from '../../runtime/testing/workers.js';
import { KEEPER_CREW, KEEPER_KEYS, type KeeperNews } from './keeper.js';
import { openStores } from './stores.js';

t.setTimeout(120_000);

const KILLS = Number(process.env.KEEPER_KILLS ?? 4);
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1_000));

t.test('each durable message is in the state once, each reminder has one id', async (t) => {
  t.comment(`SEED=${SEED}`);
  const directory = t.testdir();
  const acked = new Map<string, number>();
  const reminded = new Set<string>();
  for (let life = 0; life < KILLS; life++) {
    const child = fork(fileURLToPath(new URL('./keeper.js', import.meta.url)), [directory, `${life}`]);
    const exited = once(child, 'exit');
    t.teardown(() => void child.kill('SIGKILL'));
    let acks = 0;
    child.on('message', (news: KeeperNews) => {
      if ('acked' in news) {
        acks++;
        acked.set(...news.acked);
      } else reminded.add(news.reminded);
    });
    const enough = 100 + ((SEED * 37 + life * 211) % 400);
    await until('it works', () => acks >= enough || child.exitCode !== null, 60_000);
    t.equal(child.exitCode, null, 'it lives until it is killed');
    child.kill('SIGKILL');
    await exited;
  }
  const stores = await openStores(directory);
  t.teardown(() => stores.close());
  const { tally, log } = await startWorkers(t, KEEPER_CREW, stores.options);
  await until('all is handled', () => log.lag() === 0, 60_000);
  for (const key of KEEPER_KEYS) {
    const { count, disorder, last } = await tally('sink', key);
    t.equal(disorder, 0);
    t.equal(count, last.main, 'each once');
    t.ok(count >= (acked.get(key) ?? 0), 'none that was acknowledged is missing');
  }
  t.equal(acked.size, KEEPER_KEYS.length);
  const notes = async () => {
    const tallies = await Promise.all(KEEPER_KEYS.map((key) => tally('clock', key)));
    return new Map(tallies.flatMap(({ notes }) => Object.entries(notes)));
  };
  await until('all reminders came', async () => {
    const noted = await notes();
    return [...reminded].every((name) => noted.has(name));
  });
  const ids = [...(await notes()).values()];
  t.ok(ids.length >= KILLS * 20, `${ids.length} reminders`);
  t.ok(
    ids.every((of) => of.length === 1),
    'a schedule has one id, however often it comes',
  );
  t.equal(new Set(ids.flat()).size, ids.length);
  t.strictSame(await stores.folder.deadLetters.list({ limit: 10 }), []);
});
