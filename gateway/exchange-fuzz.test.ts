/** Requests of every kind, received, answered and left in every order: none of them takes the process down or is forgotten. */
import t from 'tap';
import { testSeed } from '../runtime/testing/seed.js';
import { until } from '../runtime/testing/until.js';
import { RecordingReceiver, startExchangeApp, told } from './test/exchange-app.js';
import { request } from './test/raw-client.js';
import { seededRandom } from './test/seed.js';

const MIB = 1024 * 1024;

const head = (length: number) =>
  request({ method: 'POST', path: '/a', headers: [`Content-Length: ${length}`] });

t.test('no order of things breaks it', async (t) => {
  const seed = testSeed(t);
  const random = seededRandom(seed);
  let open = 0;
  const { exchanges, client } = await startExchangeApp(t, (exchange, { path }) => {
    open++;
    const receiver = new RecordingReceiver();
    let isOver = false;
    const over = () => {
      if (!isOver) open--;
      isOver = true;
    };
    exchange.onAborted(over);
    const answer = () => {
      if (!exchange.isAnswered) exchange.answer(told(path, receiver.bytes));
      over();
    };
    const later = (work: () => void) => {
      if (random() < 0.3) work();
      else if (random() < 0.5) setImmediate(work);
      else setTimeout(work, random() * 10);
    };
    receiver.onChunk = () => {
      receiver.room = random() < 0.5;
      if (!receiver.room) setTimeout(() => exchange.resume(), random() * 5);
      if (random() < 0.1) later(answer);
    };
    receiver.onEnd = () => later(answer);
    later(() => {
      if (random() < 0.2) answer();
      else exchange.receive(receiver);
    });
  });
  async function sender(): Promise<void> {
    for (let i = 0; i < 60; i++) {
      const one = await client();
      const length = Math.floor(random() < 0.5 ? random() * 2000 : random() * 2 * MIB);
      const body = Buffer.alloc(length, 'x');
      one.write(head(length));
      const isWhole = random() < 0.7;
      if (isWhole) one.write(body);
      else one.write(body.subarray(0, Math.floor(random() * length)));
      if (random() < 0.2) one.write(request({ path: '/behind' }));
      const end = random();
      if (isWhole && end < 0.6) await Promise.race([one.response(), one.closed()]).catch(() => {});
      else if (end < 0.8) await new Promise((resolve) => setTimeout(resolve, random() * 10));
      if (random() < 0.5) one.destroy();
      else one.reset();
    }
  }
  await Promise.all(Array.from({ length: 8 }, sender));
  await until('every request is over', () => open === 0);
  t.ok(exchanges.length > 300, `${exchanges.length} requests`);
  const good = await client();
  for (let i = 0; i < 3; i++) {
    good.write(request({ path: '/good' }));
    t.equal((await good.response()).status, 200);
  }
});
