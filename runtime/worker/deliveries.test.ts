import { MessageChannel } from 'node:worker_threads';
import t from 'tap';
import { type ActorDefinition, defineActor } from '../actor.js';
import { encodeEnvelope } from '../envelope.js';
import { FRAME_ITEM_OVERHEAD, writeFrameItem } from '../frame.js';
import { testKernel } from '../kernel/test-kernel.js';
import { silentLogger } from '../logger.js';
import type { HostTask, ToMain } from '../worker-protocol.js';
import { Deliveries } from './deliveries.js';

const envelope = (key: string) =>
  encodeEnvelope({
    ...{ id: key, actor: 'test', key, dedupe: '', receivedAt: 0, traceparent: '' },
    payload: Buffer.from('1'),
  });

function later(key: string): Uint8Array {
  const bytes = Uint8Array.from(envelope(key));
  bytes[1] = 2;
  return bytes;
}

function frame(...items: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.alloc(items.reduce((sum, { length }) => sum + FRAME_ITEM_OVERHEAD + length, 0));
  let position = 0;
  for (const item of items) position = writeFrameItem(body, position, item);
  return body;
}

t.test(
  'what it is handed goes to its key, back, or to the dead letters; and whose it is, is heard',
  async (t) => {
    const { port1, port2 } = new MessageChannel();
    const said: ToMain[] = [];
    const heard = new Promise<void>((resolve) => {
      port2.on('message', (message: ToMain) => {
        said.push(message);
        if (said.length === 3) resolve();
      });
    });
    t.teardown(() => port2.close());
    const received: string[] = [];
    const kernel = testKernel();
    const definition = defineActor({
      type: 'test',
      scope: 'thread',
      receive(messages) {
        received.push(...messages.map(({ key }) => key));
      },
    });
    const host = kernel.host({
      definition: definition as ActorDefinition,
      resources: undefined,
      logger: silentLogger,
      outcome: { done() {}, dead() {}, parked() {}, outage() {}, forgotten() {} },
    });
    const deliveries = new Deliveries(host, { actor: 'test', port: port1 } as unknown as HostTask);
    const items = [envelope('a'), later('b'), envelope('c'), envelope('d'), Buffer.from('none')];
    // 'c' is behind 'b' on its partition; 'd' is not.
    deliveries.take({
      type: 'deliver',
      slices: [3, 10, 3, 4, 0, 2],
      epochs: [5, undefined],
      body: frame(...items),
    });
    kernel.scheduler.flush();
    t.strictSame(host.epochs.of(3), { partition: 3, epoch: 5 });
    t.equal(host.epochs.of(4), undefined);
    deliveries.take({ type: 'deliver', slices: [3, 13, 1], epochs: [5], body: frame(envelope('e')) });
    deliveries.take({ type: 'deliver', slices: [3, 13, 1], epochs: [6], body: frame(envelope('f')) });
    await new Promise((resolve) => setImmediate(resolve));
    kernel.scheduler.flush();
    t.strictSame(host.epochs.of(3), { partition: 3, epoch: 6 });
    host.epochs.heard(3, 5);
    t.strictSame(host.epochs.of(3), { partition: 3, epoch: 6 }, 'late news of an earlier one');
    t.strictSame(received, ['a', 'd', 'f']);
    await heard;
    t.match(said, [
      { type: 'forgotten', messages: 2, unreadable: { partition: 3, offset: 11 } },
      { type: 'dead', partition: 4, offset: 1, cause: { code: 'TETHER_ENVELOPE_MALFORMED' } },
      { type: 'forgotten', messages: 1, unreadable: { partition: 3, offset: 11 } },
    ]);
  },
);
