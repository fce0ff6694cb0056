import { context, SpanKind, trace } from '@opentelemetry/api';
import t, { type Test } from 'tap';
import { type ActorContext, type ActorDefinition, defineActor } from './actor.js';
import { ManualClock } from './clock.js';
import type { Entry } from './kernel/entry.js';
import type { Kernel } from './kernel/kernel.js';
import { DurableMessage } from './kernel/letter.js';
import { testKernel } from './kernel/test-kernel.js';
import { silentLogger } from './logger.js';
import type { Message } from './message.js';
import { collectSpans, unregisterProvider } from './testing/spans.js';
import { until } from './testing/until.js';
import { findTracing, flushSpans } from './tracing.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanOf = (n: number) => `00000000000000${n.toString(16).padStart(2, '0')}`;
const caused = (n: number, flags = '01') => `00-${TRACE}-${spanOf(n)}-${flags}`;

type Received = { readonly key: string; readonly traceparents: readonly string[] };
type Behaviour = (messages: readonly Message[], context: ActorContext) => Promise<void> | void;

/** An actor `of` that does as told, and notes what it received. */
function world(
  t: Test,
  receive: Behaviour = () => {},
  more: Partial<ActorDefinition> = {},
): { readonly kernel: Kernel; readonly received: Received[]; readonly durable: (entries: Entry[]) => void } {
  const received: Received[] = [];
  const kernel = testKernel();
  const host = kernel.host({
    definition: defineActor({
      type: 'of',
      scope: 'key',
      receive(messages, context) {
        received.push({ key: context.key, traceparents: messages.map(({ traceparent }) => traceparent) });
        return receive(messages as readonly Message[], context);
      },
      ...more,
    }),
    resources: undefined,
    logger: silentLogger,
    outcome: { done() {}, dead() {}, parked() {}, outage() {}, forgotten() {} },
  });
  t.teardown(() => kernel.stop(new Error('the test is over')));
  const durable = (entries: Entry[]) => {
    for (const entry of entries) host.activation(entry.message.key).push(entry);
  };
  kernel.tracing = findTracing();
  return { kernel, received, durable };
}

function entry(kernel: Kernel, offset: number, traceparent: string): Entry {
  const envelope = {
    ...{ id: `id-${offset}`, key: 'k', dedupe: '', receivedAt: 0 },
    ...{ traceparent, payload: kernel.codec.pack(offset) },
  };
  return { partition: 0, offset, bytes: 1, message: new DurableMessage(envelope, kernel.codec) };
}

t.test('without a provider nothing is invented, and what is given is handed on', async (t) => {
  const { kernel, received } = world(t, ([message]) => message?.reply('answer'));
  t.equal(kernel.tracing, undefined);
  void kernel.ref('of', 'a').tell(1);
  void kernel.ref('of', 'b').tell(1, { traceparent: caused(1) });
  await kernel.ref('of', 'c').ask(1);
  t.strictSame(received, [
    { key: 'a', traceparents: [''] },
    { key: 'b', traceparents: [caused(1)] },
    { key: 'c', traceparents: [''] },
  ]);
});

t.test('a provider is found when it is there, known again, and forgotten when it goes', async (t) => {
  t.equal(findTracing(), undefined);
  collectSpans(t);
  const tracing = findTracing();
  t.ok(tracing);
  t.equal(findTracing(tracing), tracing, 'the same for the same provider');
  unregisterProvider();
  t.equal(findTracing(tracing), undefined);
  collectSpans(t);
  t.not(findTracing(tracing), tracing, 'another for another provider');
});

t.test(
  'a batch of one is a child of what its message says, and what it sends is a child of it',
  async (t) => {
    const spans = collectSpans(t);
    const { kernel, received } = world(t, async ([message], context) => {
      if (message?.asked) message.reply('answer');
      if (context.key !== 'first') return;
      void context.ref('of', 'told').tell(1);
      await Promise.resolve();
      trace.getTracer('a user').startSpan('own').end();
      await context.ref('of', 'asked').ask(1);
      void context.ref('of', 'later').tell(1);
    });
    void kernel.ref('of', 'first').tell(1, { traceparent: caused(1) });
    await until('all is received', () => spans().length === 6);
    const named = (name: string, key?: string) => {
      const found = spans().find((s) => s.name === name && s.attributes['tether.actor.key'] === key);
      if (found === undefined) throw new Error(`no span ${name} of ${key}`);
      return found;
    };
    const first = named('actor.receive', 'first');
    t.match(first, { kind: SpanKind.CONSUMER, parent: spanOf(1), links: [], failed: false });
    t.strictSame(first.attributes, {
      'messaging.system': 'tether',
      'messaging.destination.name': 'of',
      'tether.actor.key': 'first',
      'messaging.operation.name': 'receive',
      'messaging.operation.type': 'process',
    });
    const ask = named('actor.ask', 'asked');
    t.match(ask, { kind: SpanKind.CLIENT, parent: first.spanId });
    t.equal(named('own').parent, first.spanId, 'a span of the user too');
    t.equal(named('actor.receive', 'told').parent, first.spanId);
    t.equal(named('actor.receive', 'asked').parent, ask.spanId);
    t.equal(named('actor.receive', 'later').parent, first.spanId, 'after an await too');
    t.ok(spans().every(({ traceId }) => traceId === TRACE));
    t.strictSame(
      received.find(({ key }) => key === 'asked'),
      { key: 'asked', traceparents: [ask.traceparent] },
    );
  },
);

t.test('a call is no child of what happens to be active when it begins', async (t) => {
  const spans = collectSpans(t);
  const { kernel } = world(t);
  const own = trace.getTracer('a user').startSpan('sender');
  context.with(trace.setSpan(context.active(), own), () => {
    void kernel.ref('of', 'a').tell(1, { traceparent: caused(1) });
    void kernel.ref('of', 'b').tell(1, { traceparent: '' });
  });
  await until('both are received', () => spans().length === 2);
  const b = spans().find(({ attributes }) => attributes['tether.actor.key'] === 'b');
  t.match(b, { parent: '' });
  t.not(b?.traceId, own.spanContext().traceId);
});

t.test('a batch of several begins a trace, with links to what caused it', async (t) => {
  const spans = collectSpans(t);
  const { kernel, durable } = world(t, undefined, { batchMax: 200 });
  durable([
    entry(kernel, 0, caused(1)),
    entry(kernel, 1, ''),
    entry(kernel, 2, 'nonsense'),
    entry(kernel, 3, caused(3, '00')),
  ]);
  await until('it is received', () => spans().length === 1);
  const [span] = spans();
  t.match(span, { parent: '', links: [spanOf(1), spanOf(3)] });
  t.not(span?.traceId, TRACE);
  t.match(span?.attributes, { 'messaging.batch.message_count': 4, 'tether.actor.key': 'k' });
  durable([entry(kernel, 4, caused(4))]);
  await until('the next is received', () => spans().length === 2);
  t.match(spans()[1], { parent: spanOf(4), attributes: { 'messaging.message.id': 'id-4' } });
  durable(Array.from({ length: 200 }, (_, n) => entry(kernel, 5 + n, caused(5))));
  await until('all is received', () => spans().length === 3);
  t.match(spans()[2], { attributes: { 'messaging.batch.message_count': 200 }, links: { length: 128 } });
});

t.test('errors are recorded, of a call and of an ask, whether thrown at once or later', async (t) => {
  const spans = collectSpans(t);
  const { kernel } = world(t, (_, { key }) => {
    const error = Object.assign(new Error(`no ${key}`), { code: 'TEST_NO' });
    if (key === 'later') return Promise.reject(error);
    throw error;
  });
  await t.rejects(kernel.ref('of', 'now').ask(1), /no now/);
  await t.rejects(kernel.ref('of', 'later').ask(1), /no later/);
  await until('all have ended', () => spans().length === 4);
  for (const span of spans()) {
    const type = span.name === 'actor.ask' ? 'TETHER_ASK_FAILED' : 'TEST_NO';
    t.match(span, { failed: true, attributes: { 'error.type': type } });
    t.match(span.exceptions[0], /no (now|later)/);
  }
});

t.test('the loading of a state belongs to the call', async (t) => {
  const spans = collectSpans(t);
  const { kernel } = world(t, undefined, {
    state: async () => {
      await Promise.resolve();
      trace.getTracer('a user').startSpan('load').end();
    },
  });
  void kernel.ref('of', 'a').tell(1);
  await until('it is received', () => spans().length === 2);
  const [load, call] = spans();
  t.equal(load?.parent, call?.spanId);
});

t.test('what is not sampled is handed on, and makes no span', async (t) => {
  const spans = collectSpans(t, false);
  const { kernel, received } = world(t, (_, context) => {
    if (context.key === 'a') void context.ref('of', 'b').tell(1);
  });
  void kernel.ref('of', 'a').tell(1, { traceparent: caused(1, '00') });
  await until('both are received', () => received.length === 2);
  const [handed = ''] = received[1]?.traceparents ?? [];
  t.match(handed, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  t.strictSame(spans(), []);
});

t.test('a reference that found its actor before the provider came traces from then on', async (t) => {
  const { kernel, received } = world(t);
  const ref = kernel.ref('of', 'a');
  void ref.tell(1);
  await until('the first is received', () => received.length === 1);
  const spans = collectSpans(t);
  kernel.tracing = findTracing(kernel.tracing);
  trace.getTracer('a user').startActiveSpan('sender', (sender) => {
    void ref.tell(2);
    sender.end();
  });
  await until('the second is received', () => spans().length === 2);
  const [sender, call] = spans();
  t.equal(call?.parent, sender?.spanId);
});

t.test('the explicit wins over the active', async (t) => {
  const spans = collectSpans(t);
  const { kernel } = world(t, ([message]) => message?.reply('answer'));
  await trace.getTracer('a user').startActiveSpan('sender', async (sender) => {
    void kernel.ref('of', 'a').tell(1, { traceparent: caused(1) });
    await kernel.ref('of', 'b').ask(1, { traceparent: caused(2) });
    sender.end();
  });
  await until('all have ended', () => spans().length === 4);
  t.equal(spans().find((s) => s.attributes['tether.actor.key'] === 'a')?.parent, spanOf(1));
  t.equal(spans().find((s) => s.name === 'actor.ask')?.parent, spanOf(2));
});

t.test('flushing waits for the provider, and does without one', async (t) => {
  await flushSpans(new ManualClock(), silentLogger);
  collectSpans(t);
  await flushSpans(new ManualClock(), silentLogger);
  let flushed = 0;
  unregisterProvider();
  trace.setGlobalTracerProvider({
    getTracer: trace.getTracer.bind(trace),
    forceFlush: () => {
      flushed++;
      return new Promise(() => {});
    },
  } as never);
  // One that hangs is left to itself.
  const clock = new ManualClock();
  const flushing = flushSpans(clock, silentLogger);
  clock.advance(2_000);
  await flushing;
  t.equal(flushed, 1);
});
