/** The process is killed again and again while a target fails at random: each delivery arrives, its key's in order. `TEST_SEED` repeats. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { until } from '../../runtime/testing/until.js';
import { openDatabase } from '../payment/test/database.js';
import type { KilledTask } from './test/killed-process.js';
import { ok, openReceiver, status } from './test/receiver.js';

t.setTimeout(60_000);

const KILLS = 2;
const KEYS = ['a', 'b', 'c', 'd'];
const OF_KEY = 4;
const seed = testSeed(t);

t.test('nothing is lost, each key is in order, a repeat has its id', async (t) => {
  let random = seed % 2_147_483_647 || 1;
  const next = (n: number) => {
    random = (random * 48_271) % 2_147_483_647;
    return random % n;
  };
  const database = await openDatabase(t);
  const receiver = await openReceiver(t, (one, response, times) => {
    const chance = next(6);
    if (chance === 0) status(500)(one, response, times);
    else if (chance === 1) response.destroy();
    else setTimeout(() => ok(one, response, times), next(60));
  });
  const messages = Array.from({ length: KEYS.length * OF_KEY }, (_, n) => {
    const key = KEYS[n % KEYS.length] ?? '';
    return [key, `${key}${Math.floor(n / KEYS.length)}`] as const;
  });
  const directory = t.testdir();
  const bodies = () => new Set(receiver.taken.map(({ body }) => body)).size;

  for (let life = 0; ; life++) {
    const child = fork(fileURLToPath(new URL('./test/killed-process.js', import.meta.url)));
    const exited = once(child, 'exit');
    t.teardown(() => void child.kill('SIGKILL'));
    const task: KilledTask = {
      directory,
      databaseUrl: database.url,
      url: receiver.url,
      messages: life === 0 ? messages : [],
    };
    child.send(task);
    await once(child, 'message');
    if (life < KILLS) {
      const enough = receiver.received.length + 1 + next(5);
      await until(
        'it works',
        () => receiver.received.length >= enough || bodies() === messages.length,
        20_000,
      );
      child.kill('SIGKILL');
      await exited;
      continue;
    }
    await until('all have arrived', () => bodies() === messages.length, 40_000);
    await until(
      'none waits',
      async () => (await database.rows('SELECT 1 FROM forwards')).length === 0,
      10_000,
    );
    child.kill('SIGKILL');
    await exited;
    break;
  }

  for (const key of KEYS) {
    const taken = receiver.taken.map(({ body }) => body).filter((body) => body.startsWith(key));
    const first = taken.filter((body, at) => taken.indexOf(body) === at);
    t.strictSame(
      first,
      Array.from({ length: OF_KEY }, (_, n) => `${key}${n}`),
      `${key} in order`,
    );
  }
  const ids = new Map(receiver.received.map(({ id, body }) => [body, id]));
  t.ok(
    receiver.received.every(({ id, body }) => ids.get(body) === id),
    'a repeat has the id of the first',
  );
  t.equal(new Set(ids.values()).size, messages.length);
  t.strictSame(await database.rows('SELECT 1 FROM dead_letters'), []);
});
