/** What a thread does when a partition is another process's: it forgets, and says which epochs its messages are of. */
import t from 'tap';
import type { ActorDefinition } from '../actor.js';
import { defineActor, type PartitionEpoch } from '../actor.js';
import { ManualClock } from '../clock.js';
import { FencedError } from '../errors.js';
import { silentLogger } from '../logger.js';

import type { Entry } from './entry.js';
import { DurableMessage } from './letter.js';
import { testKernel } from './test-kernel.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function world(scope: 'thread' | 'key') {
  // No time passes.
  const kernel = testKernel({ clock: new ManualClock() });
  const news: string[] = [];
  const seen: (readonly PartitionEpoch[])[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const say = (what: string) => (entries: readonly Entry[]) =>
    news.push(...entries.map(({ partition, offset }) => `${what} ${partition}/${offset}`));
  const definition = defineActor({
    type: 'test',
    scope,
    receive(_messages, context) {
      seen.push(context.epochs);
      return new Promise<void>((resolve, reject) =>
        ends.push((error) => (error ? reject(error) : resolve())),
      );
    },
  });
  const host = kernel.host({
    definition: definition as ActorDefinition,
    resources: undefined,
    logger: silentLogger,
    outcome: { done: say('done'), dead: () => {}, parked() {}, outage() {}, forgotten: say('forgotten') },
  });
  const push = (key: string, partition: number, offset: number, epoch?: number) => {
    const envelope = {
      id: `${offset}`,
      actor: 'test',
      key,
      dedupe: '',
      receivedAt: 0,
      traceparent: '',
      payload: Buffer.from('1'),
    };
    host
      .activation(key)
      .push({ partition, epoch, offset, bytes: 1, message: new DurableMessage(envelope, host.codec) });
    kernel.scheduler.flush();
  };
  return { host, news, seen, ends, push };
}

t.test('of many keys: what waits is forgotten at once, what is out when it fails', async (t) => {
  const { host, news, seen, ends, push } = world('thread');
  push('a', 0, 0, 5);
  push('b', 0, 1, 5);
  push('c', 1, 0, 6);
  push('d', 2, 0);
  ends[0]?.();
  await turn();
  t.strictSame(seen, [
    [{ partition: 0, epoch: 5 }],
    [
      { partition: 0, epoch: 5 },
      { partition: 1, epoch: 6 },
      { partition: 2, epoch: 0 },
    ],
  ]);
  push('e', 0, 2, 5);
  let over = false;
  const discarded = host.discard(() => true, 0).then(() => (over = true));
  t.strictSame(news, ['done 0/0', 'forgotten 0/2']);
  await turn();
  t.notOk(over, 'a call is under way');
  ends[1]?.(new Error('told to fail'));
  await discarded;
  t.equal(news.at(-1), 'forgotten 0/1');
  t.equal(host.live, 1, 'the activation of many keys stays');
});

t.test('of one key: the activation ends, when its call is over', async (t) => {
  const { host, news, seen, ends, push } = world('key');
  push('a', 0, 0);
  push('b', 1, 0);
  push('a', 0, 1);
  t.strictSame(seen, [[], []], 'a log of one owner');
  const activation = host.activation('a');
  let over = false;
  const discarded = host.discard((key) => key === 'a', 0).then(() => (over = true));
  t.equal(host.live, 1);
  t.equal(activation.mode, 'stopped');
  await turn();
  t.notOk(over);
  ends[0]?.();
  await discarded;
  t.strictSame(news, ['forgotten 0/1', 'done 0/0']);
});

t.test('what waits for an outage with it is tried again at once', async (t) => {
  const { host, news, ends, push } = world('thread');
  push('a', 0, 0, 5);
  push('b', 0, 1, 5);
  push('c', 1, 0, 6);
  ends[0]?.();
  await turn();
  ends[1]?.(new FencedError('another process reads it', [0]));
  await turn();
  t.equal(ends.length, 2, 'it waits');
  await host.discard(() => true, 0);
  await turn();
  t.equal(ends.length, 3);
  ends[2]?.();
  await turn();
  t.strictSame(news, ['done 0/0', 'forgotten 0/1', 'done 1/0']);
});
