import t from 'tap';
import { ManualClock } from './clock.js';
import { decodeEnvelope } from './envelope.js';
import { LogFullError, LogUnavailableError } from './errors.js';
import type { LogPartition, MessageLog } from './message-log.js';
import { Replays } from './replay-many.js';
import type { DeadLetterMark, DeadLetterStore, StoredDeadLetter } from './stores/dead-letter.js';
import { testSeed } from './testing/seed.js';
import { undecodableId } from './undecodable.js';

const PARTITIONS = 4;
const idOf = (n: number) => `01890a5d-0000-7000-8000-${String(n).padStart(12, '0')}`;

function letter(n: number, key: string): StoredDeadLetter {
  const envelope = {
    id: idOf(n),
    actor: 'a',
    key,
    dedupe: `${n}`,
    receivedAt: 2 ** 40,
    traceparent: '',
    payload: Buffer.from(`${n}`),
  };
  const end = {
    state: 'waiting',
    replayedAt: undefined,
    droppedAt: undefined,
    droppedBy: undefined,
  } as const;
  return { envelope, cause: { code: 'X', message: '', stack: '' }, attempts: 1, deadAt: 7, ...end };
}

/** `append` is told of each, and settles it: the log of these tests decides itself what it takes, and when. */
type Append = (bytes: Uint8Array, index: number, waiter: Parameters<LogPartition['append']>[1]) => void;

function start(letters: readonly StoredDeadLetter[], append: Append) {
  const clock = new ManualClock();
  const waiting = new Map(letters.map((letter) => [letter.envelope.id, letter]));
  const open = () =>
    Array.from({ length: PARTITIONS }, (_, index) => ({
      index,
      append: (bytes: Uint8Array, waiter: Parameters<LogPartition['append']>[1]) =>
        append(bytes, index, waiter),
    }));
  const store: Pick<DeadLetterStore, 'choose' | 'get' | 'getMany' | 'settle'> = {
    choose: async () => [...waiting.values()].map(({ envelope, deadAt }) => ({ id: envelope.id, deadAt })),
    get: async (id) => waiting.get(id),
    getMany: async (ids) => ids.flatMap((id) => waiting.get(id) ?? []),
    settle: async (marks: readonly DeadLetterMark[]) => marks.filter(({ id }) => waiting.delete(id)).length,
  };
  const log = { partitions: PARTITIONS, open } as unknown as MessageLog;
  return { replays: new Replays({ store, log, group: (_, key) => key, clock }), waiting, clock };
}

t.test('keys go side by side, the letters of one after another, in the order of their ids', async (t) => {
  const seed = testSeed(t);
  let random = seed;
  const draw = (below: number) => {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
    return (random >>> 8) % below;
  };
  const letters = Array.from({ length: 1_300 }, (_, n) => letter(n, `k${draw(20)}`));
  const shuffled = [...letters].sort(() => draw(3) - 1);
  const order = new Map<string, number[]>();
  const underWay = new Map<string, number>();
  let atOnceMax = 0;
  let sideBySide = 0;
  const { replays, waiting } = start(shuffled, (bytes, _, waiter) => {
    const { key, dedupe } = decodeEnvelope(bytes);
    underWay.set(key, (underWay.get(key) ?? 0) + 1);
    atOnceMax = Math.max(atOnceMax, underWay.get(key) ?? 0);
    sideBySide = Math.max(
      sideBySide,
      [...underWay.values()].reduce((sum, of) => sum + of, 0),
    );
    order.set(key, [...(order.get(key) ?? []), Number(dedupe)]);
    setImmediate(() => {
      underWay.set(key, (underWay.get(key) ?? 0) - 1);
      waiter.appended(0);
    });
  });
  t.strictSame(await replays.many({}, 1_000), {
    replayed: 1_300,
    failed: 0,
    failures: [],
    left: 0,
    stopped: undefined,
  });
  t.ok([...order.values()].every((of) => of.every((n, at) => at === 0 || n > (of[at - 1] ?? 0))));
  t.equal(atOnceMax, 1);
  t.ok(sideBySide > 10, `${sideBySide} at once`);
  t.equal(waiting.size, 0);
});

t.test('a log that is full, or away, ends it: what is on the log is marked, the rest waits', async (t) => {
  for (const error of [new LogFullError('full'), new LogUnavailableError('away')]) {
    let taken = 0;
    const letters = Array.from({ length: 50 }, (_, n) => letter(n, `k${n % 5}`));
    const { replays, waiting } = start(letters, (_, __, waiter) => {
      // Full for one only: what stands behind it must not pass.
      if (++taken === 21) waiter.appendFailed(error);
      else waiter.appended(0);
    });
    const result = await replays.many({}, 1_000);
    t.match(result, { failed: 0, stopped: error.code });
    t.equal(result.replayed + result.left, 50);
    t.equal(waiting.size, result.left);
    for (let k = 0; k < 5; k++) {
      const left = letters.filter(({ envelope }) => envelope.key === `k${k}` && waiting.has(envelope.id));
      const gone = letters.filter(({ envelope }) => envelope.key === `k${k}` && !waiting.has(envelope.id));
      t.ok(
        gone.every(({ envelope }) => left.every((other) => envelope.id < other.envelope.id)),
        'no gap',
      );
    }
  }
});

t.test('what has no place fails alone; what could not be decoded goes back in its own order', async (t) => {
  const raw = (partition: number, offset: number) => {
    const payload = Buffer.from(`${partition}:${offset}`);
    const base = letter(1, '');
    return {
      ...base,
      envelope: { ...base.envelope, id: undecodableId({ actor: 'a', partition, offset }, payload), payload },
    };
  };
  const letters = [raw(2, 30), raw(2, 4), raw(9, 1), raw(2, 200), raw(3, 1), letter(1, 'k')];
  const put: string[] = [];
  const { replays, waiting } = start(letters, (bytes, index, waiter) => {
    if (bytes.length < 10) put.push(`${index} ${Buffer.from(bytes)}`);
    waiter.appended(0);
  });
  const result = await replays.many({}, 1_000);
  t.match(result, { replayed: 5, failed: 1, failures: [{ reason: /partition 9/ }], left: 0 });
  t.strictSame(
    put.filter((text) => text.startsWith('2')),
    ['2 2:4', '2 2:30', '2 2:200'],
  );
  t.equal(waiting.size, 1);
});

t.test('one at a time, until its deadline', async (t) => {
  const letters = Array.from({ length: 3 }, (_, n) => letter(n, 'k'));
  const { replays, clock } = start(letters, (_, __, waiter) => {
    clock.advance(40);
    waiter.appended(0);
  });
  const first = replays.many({}, 50);
  await t.rejects(replays.many({}, 50), { code: 'TETHER_REPLAY_BUSY', retryable: true });
  t.match(await first, { replayed: 2, left: 1, stopped: 'deadline' });
  t.match(await replays.many({}, 50), { replayed: 1, left: 0, stopped: undefined });
});
