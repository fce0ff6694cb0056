import { MessageChannel } from 'node:worker_threads';
import fc from 'fast-check';
import t from 'tap';
import { type ActorDefinition, defineActor } from '../actor.js';
import { UnknownActorError } from '../errors.js';
import type { Kernel } from '../kernel/kernel.js';
import { testKernel } from '../kernel/test-kernel.js';
import { silentLogger } from '../logger.js';
import { partitionOf } from '../partition.js';
import { until } from '../testing/until.js';
import { ThreadMesh } from '../worker/thread-mesh.js';
import { Broker } from './broker.js';
import { MAIN_PLACE, Mesh } from './mesh.js';
import type { MeshToMain, MeshToWorker } from './protocol.js';

const SEED = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const PARTITIONS = 4;

interface Place {
  readonly kernel: Kernel;
  readonly mesh: Mesh;
  end(): void;
}

interface Net {
  readonly broker: Broker;
  readonly main: Place;
  readonly places: readonly Place[];
  readonly dropped: string[];
  close(): void;
}

const outcome = { done() {}, dead() {}, parked() {}, outage() {}, forgotten() {} };

/** A mesh whose threads are kernels of this thread, over real ports. All of them host the actors; `echo` is spread over them. */
async function net(definitions: readonly ActorDefinition[], threads: number): Promise<Net> {
  const dropped: string[] = [];
  const lost = (count: number, why: string) => dropped.push(`${count} ${why}`);
  const host = (kernel: Kernel) => {
    for (const definition of definitions) {
      kernel.host({ definition, resources: undefined, logger: silentLogger, outcome });
    }
  };
  const mesh: Mesh = new Mesh({ connect: (to) => broker.connect(MAIN_PLACE, to), lost });
  const mainKernel = testKernel({ transport: mesh, id: 0 });
  mesh.attach(mainKernel);
  const broker = new Broker(mesh);
  const owners = Array.from({ length: PARTITIONS }, (_, partition) => 1 + (partition % threads));
  const places = Array.from({ length: threads }, (_, at): Place => {
    const place = at + 1;
    const { port1, port2 } = new MessageChannel();
    const threadMesh = new ThreadMesh(port2, place, lost);
    const kernel = testKernel({ transport: threadMesh.mesh, id: place });
    threadMesh.attach(kernel);
    host(kernel);
    port2.on('message', (message: MeshToWorker) => threadMesh.handle(message));
    port1.on('message', (message: MeshToMain) => broker.received(place, message));
    broker.join(place, (message, transfer) => port1.postMessage(message, transfer ?? []));
    return {
      kernel,
      mesh: threadMesh.mesh,
      end() {
        broker.leave(place);
        threadMesh.close();
        kernel.stop(new Error('the thread ended'));
        port1.close();
      },
    };
  });
  for (const { type } of definitions) await broker.route({ actor: type, owners });
  return {
    broker,
    main: { kernel: mainKernel, mesh, end() {} },
    places,
    dropped,
    close() {
      for (const place of places) place.end();
      mesh.close('the test is over');
    },
  };
}

const echo = defineActor<unknown>({
  type: 'echo',
  scope: 'key',
  receive(messages) {
    for (const message of messages) message.reply(message.body);
  },
});

t.test('asks cross, with whatever a body may hold, and leave nothing pending', async (t) => {
  const { main, places, close } = await net([echo], 2);
  t.teardown(close);
  const bodies = [
    null,
    'text',
    { nested: [1, 2.5, { deep: true }], at: new Date(5), map: new Map([['a', 1]]), set: new Set([1]) },
    Buffer.from('bytes'),
    { bytes: new Uint8Array([1, 2, 3]) },
    -(2n ** 60n),
  ];
  for (const key of ['a', 'b', 'c', 'd']) {
    for (const body of bodies) {
      const ref = main.kernel.ref('echo', key);
      const reply = await ref.ask(body);
      if (body instanceof Uint8Array) t.strictSame([...(reply as Uint8Array)], [...body]);
      else t.strictSame(reply, body);
    }
  }
  for (const { mesh, kernel } of [main, ...places]) {
    t.equal(mesh.pending, 0);
    t.equal(kernel.deadlines.size, 0);
  }
});

t.test('a reference in a body is one where it arrives', async (t) => {
  const forward = defineActor<{ readonly to: ReturnType<Kernel['ref']> }>({
    type: 'forward',
    scope: 'key',
    async receive(messages) {
      for (const message of messages)
        (message.reply as (value: unknown) => void)(await message.body.to.ask('over'));
    },
  });
  const { main, close } = await net([echo, forward as ActorDefinition], 2);
  t.teardown(close);
  for (const key of ['a', 'b', 'c']) {
    const to = main.kernel.ref('echo', `${key}-target`);
    t.equal(await main.kernel.ref('forward', key).ask({ to }), 'over');
  }
});

t.test('errors cross with their class: unknown actors, failures, bodies that cannot be sent', async (t) => {
  const failing = defineActor({
    type: 'failing',
    scope: 'key',
    batchMax: 1,
    receive(messages) {
      if (messages[0]?.body === 'throw') throw Object.assign(new Error('no'), { code: 'MINE' });
      messages[0]?.reply(() => {});
    },
  });
  const { main, close, dropped } = await net([failing], 2);
  t.teardown(close);
  const ref = main.kernel.ref('failing', 'a');
  await t.rejects(ref.ask('throw'), { code: 'TETHER_ASK_FAILED', reason: 'MINE' });
  await t.rejects(
    ref.ask(() => {}),
    { code: 'TETHER_BODY' },
  );
  await t.rejects(ref.ask('function'), { code: 'TETHER_BODY' });
  await t.rejects(main.kernel.ref('nobody', 'a').ask(1), { code: 'TETHER_ACTOR_UNKNOWN' });
  t.throws(() => main.kernel.ref('nobody', 'a').tell(1), UnknownActorError);
  ref.tell({ body: () => {} });
  await until('it is dropped', () => dropped.length === 1);
  t.equal(main.mesh.pending, 0);
});

t.test('a thread that ends rejects what it was asked, at once, and the next one is reached', async (t) => {
  const silent = defineActor({ type: 'silent', scope: 'key', receive() {} });
  const { main, places, close, broker } = await net([silent, echo], 2);
  t.teardown(close);
  const asks = ['a', 'b', 'c', 'd'].map((key) =>
    main.kernel.ref('silent', key).ask(1, { timeoutMs: 60_000 }),
  );
  const settled = Promise.allSettled(asks);
  await until('they are asked', () => main.mesh.pending === 4);
  for (const place of places) place.end();
  t.match(
    (await settled).map((result) => result.status === 'rejected' && result.reason.code),
    ['TETHER_THREAD_LOST', 'TETHER_THREAD_LOST', 'TETHER_THREAD_LOST', 'TETHER_THREAD_LOST'],
  );
  t.equal(main.mesh.pending, 0);
  const waiting = main.kernel.ref('echo', 'a').ask('still', { timeoutMs: 60_000 });
  const { port1, port2 } = new MessageChannel();
  const place = 1 + (partitionOf('a', PARTITIONS) % 2);
  const threadMesh = new ThreadMesh(port2, place, () => {});
  const kernel = testKernel({ transport: threadMesh.mesh, id: 9 });
  threadMesh.attach(kernel);
  kernel.host({ definition: echo as ActorDefinition, resources: undefined, logger: silentLogger, outcome });
  port2.on('message', (message: MeshToWorker) => threadMesh.handle(message));
  port1.on('message', (message: MeshToMain) => broker.received(place, message));
  broker.join(place, (message, transfer) => port1.postMessage(message, transfer ?? []));
  t.equal(await waiting, 'still', 'it waited for the thread');
  threadMesh.close();
  port1.close();
});

t.test('a cycle of asks over three threads is found and named', async (t) => {
  const next: Record<string, string> = { a: 'b', b: 'c', c: 'a' };
  const link = defineActor<string>({
    type: 'link',
    scope: 'key',
    async receive(messages, context) {
      for (const message of messages) {
        const to = context.ref('link', next[message.key] as string);
        try {
          (message.reply as (value: unknown) => void)(await to.ask('go', { timeoutMs: 60_000 }));
        } catch (error) {
          message.fail(error);
        }
      }
    },
  });
  const { main, close } = await net([link as ActorDefinition], 3);
  t.teardown(close);
  await t.rejects(main.kernel.ref('link', 'a').ask('go', { timeoutMs: 60_000 }), {
    message: /link\/a -> link\/b -> link\/c -> link\/a/,
  });
});

t.test(
  'partitions move while senders send: nothing lost, nothing out of order, one activation at a time',
  async (t) => {
    t.comment(`TEST_SEED=${SEED}`);
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ send: fc.nat(3), key: fc.constantFrom('a', 'b', 'c', 'd', 'e') }) },
      {
        weight: 2,
        arbitrary: fc.record({ move: fc.nat(PARTITIONS - 1), to: fc.integer({ min: 1, max: 3 }) }),
      },
      { weight: 2, arbitrary: fc.constant('turn' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
        const got = new Map<string, number[]>();
        const running = new Map<string, number>();
        const sink = defineActor<{ readonly sender: number; readonly n: number }>({
          type: 'sink',
          scope: 'key',
          batchMax: 2,
          async receive(messages, { key }) {
            running.set(key, (running.get(key) ?? 0) + 1);
            if (running.get(key) !== 1) throw new Error('two activations at once');
            await new Promise((resolve) => setImmediate(resolve));
            for (const { body } of messages) {
              const name = `${body.sender} to ${key}`;
              got.set(name, [...(got.get(name) ?? []), body.n]);
            }
            running.set(key, (running.get(key) ?? 0) - 1);
          },
        });
        const { main, places, broker, close, dropped } = await net([sink as ActorDefinition], 3);
        const senders = [main, ...places].map(({ kernel }) => kernel);
        const owners = Array.from({ length: PARTITIONS }, (_, partition) => 1 + (partition % 3));
        const sent = new Map<string, number>();
        const moves: Promise<void>[] = [];
        const moving = new Set<number>();
        for (const [n, at] of steps.entries()) {
          if (at === 'turn') {
            await new Promise((resolve) => setImmediate(resolve));
          } else if ('send' in at) {
            senders[at.send]?.ref('sink', at.key).tell({ sender: at.send, n });
            const name = `${at.send} to ${at.key}`;
            sent.set(name, (sent.get(name) ?? 0) + 1);
          } else if (!moving.has(at.move) && owners[at.move] !== at.to) {
            const { move, to } = at;
            moving.add(move);
            const from = owners[move] as number;
            moves.push(
              broker
                .release('sink', move, from, 60_000, new AbortController().signal)
                .then(async (released) => {
                  if (!released) throw new Error('not released');
                  await broker.moved('sink', move, to);
                  owners[move] = to;
                  moving.delete(move);
                }),
            );
          }
        }
        await Promise.all(moves);
        const count = (numbers: Iterable<number>) => [...numbers].reduce((sum, n) => sum + n, 0);
        await until(
          'all arrived',
          () => count([...got.values()].map(({ length }) => length)) === count(sent.values()),
        );
        close();
        if (dropped.length > 0) throw new Error(`dropped: ${dropped.join(', ')}`);
        return [...got.values()].every((ns) => ns.every((n, at) => at === 0 || n > (ns[at - 1] as number)));
      }),
      { numRuns: 60, seed: SEED },
    );
  },
);
