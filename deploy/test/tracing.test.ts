/** A trace from the gateway through the journal into actors of two threads: gateway -> front -> back -> front. */
import { randomUUID } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import { SpanKind, trace } from '@opentelemetry/api';
import t, { type Test } from 'tap';
import { FORM, notification, startTestGateway } from '../../gateway/test/start.js';
import { type ActorRef, ActorSystem, silentLogger } from '../../runtime/index.js';
import type { TracedSaid, TracedSettings } from '../../runtime/testing/actors/traced.js';
import { collectSpans, type SpanRecord } from '../../runtime/testing/spans.js';
import { until } from '../../runtime/testing/until.js';
import { openJournal } from '../../storage/journal/index.js';

t.setTimeout(120_000);

const MODULES = [
  new URL('../../runtime/testing/actors/traced-front.js', import.meta.url),
  new URL('../../runtime/testing/actors/traced-back.js', import.meta.url),
];
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

/** A gateway on a journal, and the two actors, each on a thread. */
async function start(t: Test, provider: boolean) {
  const channel = randomUUID();
  const said: TracedSaid[] = [];
  const listener = new BroadcastChannel(channel);
  listener.onmessage = (event) => said.push((event as { readonly data: TracedSaid }).data);
  const journal = await openJournal({ directory: t.testdir(), partitions: 4 });
  const settings: TracedSettings = { channel, provider };
  const system = new ActorSystem({
    log: journal,
    deadLetters: { put: async () => {} },
    actors: MODULES.map(({ href }) => ({ module: href, threads: 1, settings })),
    retry: { attemptsMax: 3, delayMs: 10, delayMsMax: 50 },
    logger: silentLogger,
    logLevel: 'error',
  });
  t.teardown(async () => {
    await system.drain(5_000);
    await journal.close();
    listener.close();
  });
  await system.start();
  const { post } = await startTestGateway(t, {
    endpoints: [
      { name: 'emp', provider: 'emp', token: 'dev', secrets: ['test-api-password-1'], actor: 'traced-front' },
    ],
    partitions: (actor) => journal.open(actor),
  });
  return {
    system,
    post: async (id: string, traceparent: string) => {
      const { status } = await post(notification(id), [FORM, `traceparent: ${traceparent}`]);
      t.equal(status, 200);
    },
    /** The traceparents of the messages that came, by their way. */
    received: () =>
      said.flatMap((each) => ('span' in each ? [] : [[`${each.actor}/${each.key}`, each.traceparent]])),
    spans: () => said.flatMap((each) => ('span' in each ? [{ actor: each.actor, ...each.span }] : [])),
  };
}

t.test('without a provider a traceparent goes through to the actor, and none is invented', async (t) => {
  const { post, received } = await start(t, false);
  const sampled = `00-${TRACE}-${PARENT}-01`;
  const unsampled = `00-${TRACE}-${PARENT}-00`;
  await post('aa01', sampled);
  await post('aa02', unsampled);
  await post('aa03', 'nonsense');
  await until('all has come', () => received().length === 3 * 4);
  t.strictSame(
    new Set(received().map((each) => each.join(' '))),
    new Set([
      `traced-front/emp:aa01 ${sampled}`,
      `traced-front/emp:aa02 ${unsampled}`,
      ...[
        'traced-front/emp:aa03 ',
        'traced-back/emp:aa01 ',
        'traced-back/emp:aa02 ',
        'traced-back/emp:aa03 ',
      ],
      ...['traced-front/register ', 'traced-front/end '],
    ]),
  );
});

t.test('with providers there is one trace, from parent to child over two threads', async (t) => {
  const here = collectSpans(t);
  const { post, received, spans } = await start(t, true);
  await post('aa01', `00-${TRACE}-${PARENT}-01`);
  await until('all has ended', () => here().length === 1 && spans().length === 5);
  const of = (actor: string, name: string, key: string): SpanRecord => {
    const found = spans().filter(
      (span) => span.actor === actor && span.name === name && span.attributes['tether.actor.key'] === key,
    );
    t.equal(found.length, 1, `${actor} ${name} ${key}`);
    return found[0] as SpanRecord;
  };
  const request = here()[0] as SpanRecord;
  const front = of('traced-front', 'actor.receive', 'emp:aa01');
  const back = of('traced-back', 'actor.receive', 'emp:aa01');
  const ask = of('traced-back', 'actor.ask', 'register');
  const register = of('traced-front', 'actor.receive', 'register');
  const end = of('traced-front', 'actor.receive', 'end');
  t.match(request, { kind: SpanKind.SERVER, parent: PARENT });
  t.match(front, { kind: SpanKind.CONSUMER, parent: request.spanId });
  t.match(front.attributes, { 'messaging.destination.name': 'traced-front', 'messaging.message.id': /./ });
  t.match(back, { kind: SpanKind.CONSUMER, parent: front.spanId });
  t.match(ask, { kind: SpanKind.CLIENT, parent: back.spanId });
  t.match(register, { parent: ask.spanId });
  t.match(end, { parent: back.spanId });
  t.ok([request, ...spans()].every(({ traceId }) => traceId === TRACE));
  t.strictSame(
    received().find(([name]) => name === 'traced-front/emp:aa01')?.[1],
    request.traceparent,
    'a message tells its position',
  );
});

t.test('what the main thread sends is a child of its active span', async (t) => {
  const here = collectSpans(t);
  const { system, received, spans } = await start(t, true);
  const front = (key: string): ActorRef => system.ref('traced-front', key);
  // Its thread opens first: a message that waits for it says nothing of the main thread's part.
  await front('ready').ask('ready');
  await trace.getTracer('a user').startActiveSpan('sender', async (sender) => {
    void front('end').tell('told');
    await front('register').ask('asked');
    await front('end').tellDurably('kept');
    sender.end();
  });
  await until('all has come', () => received().length === 4 && spans().length === 4 && here().length === 3);
  const sender = here().find(({ name }) => name === 'sender') as SpanRecord;
  const ask = here().find(({ parent }) => parent === sender.spanId) as SpanRecord;
  t.match(ask, { name: 'actor.ask', kind: SpanKind.CLIENT });
  const parents = spans().map(({ attributes, parent }) => [attributes['tether.actor.key'], parent]);
  t.strictSame(parents.slice(1).sort(), [
    ['end', sender.spanId],
    ['end', sender.spanId],
    ['register', ask.spanId],
  ]);
});
