import uWS from 'uWebSockets.js';
import t, { type Test } from 'tap';
import { Uploads } from '../../actors/upload/uploads.js';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { startFaultProxy } from '../../storage/objects/test-fault-proxy.js';
import { createPool, type Pool } from '../../storage/postgres/pool.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { TokenRefusals } from '../auth/refusals.js';
import { Intake } from '../intake.js';
import { RawClient } from '../test/raw-client.js';
import { registerEvents } from './events.js';
import type { UploadContext } from './parts.js';
import { PROGRESS_DEFAULTS, type ProgressOptions } from './progress.js';
import { makeUpload, setState } from './test/make-upload.js';
import { bearer, startTestUploads } from './test/start.js';

const shared = await startTestPostgres(t);
const server = await startTestUploads(t, { postgres: shared });
const FAST: ProgressOptions = { ...PROGRESS_DEFAULTS, pollMs: 20 };

/** Counts what the poller asks. */
class CountedUploads extends Uploads {
  readonly asked: (readonly string[])[] = [];

  override getMany(ids: readonly string[]) {
    this.asked.push(ids);
    return super.getMany(ids);
  }
}

interface Served {
  readonly uploads: CountedUploads;
  readonly requests: Intake;
  readonly port: number;
}

/** The real handlers on an app of its own, with other times. */
async function start(t: Test, options = FAST, pool: Pool = shared.pool): Promise<Served> {
  const uploads = new CountedUploads(pool);
  const requests = new Intake();
  const app = uWS.App();
  const refusals = new TokenRefusals({ logger: silentLogger, now: Date.now });
  const context: UploadContext = { ...server.parts, uploads, requests, refusals };
  registerEvents(app, context, options);
  const socket = await new Promise<uWS.us_listen_socket | false>((resolve) => {
    app.listen('127.0.0.1', 0, resolve);
  });
  if (socket === false) throw new Error('no port');
  t.teardown(() => app.close());
  return { uploads, requests, port: uWS.us_socket_local_port(socket as uWS.us_socket) };
}

interface Event {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly state: string; readonly version: number };
}

/** What a browser's EventSource does, by the same rules, without coming again by itself. */
class EventReader {
  readonly events: Event[] = [];
  comments = 0;
  retryMs: number | undefined;
  status = 0;
  /** The stream has ended as it should: with its last chunk. */
  over: 'ended' | 'cut' | undefined;
  readonly #abort = new AbortController();

  constructor(t: Test, port: number, id: string, lastEventId?: string, token = 'acme') {
    t.teardown(() => this.leave());
    this.#run(port, id, lastEventId, token).then(
      () => {
        this.over = 'ended';
      },
      () => {
        this.over = 'cut';
      },
    );
  }

  leave(): void {
    this.#abort.abort();
  }

  get states(): readonly string[] {
    return this.events.map(({ type, data }) => `${type} ${data.state}`);
  }

  async #run(port: number, id: string, lastEventId: string | undefined, token: string): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${port}/uploads/${id}/events`, {
      headers: {
        authorization: `Bearer ${token}`,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
      signal: this.#abort.signal,
    });
    this.status = response.status;
    if (response.status !== 200 || response.body === null) return;
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        this.#block(text.slice(0, end).split('\n'));
        text = text.slice(end + 2);
      }
    }
  }

  #block(lines: readonly string[]): void {
    const fields = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      }),
    );
    if (fields.has('')) this.comments++;
    if (fields.has('retry')) this.retryMs = Number(fields.get('retry'));
    const data = fields.get('data');
    if (data === undefined) return;
    this.events.push({ id: fields.get('id') ?? '', type: fields.get('event') ?? '', data: JSON.parse(data) });
  }
}

t.test('the current state at once, each change, the end, and then 204', async (t) => {
  const { port } = await start(t);
  const { id } = await makeUpload(server);
  const reader = new EventReader(t, port, id);
  await until('the current state', () => reader.events.length === 1);
  t.match(reader.events[0], { id: '2', type: 'progress', data: { id, state: 'stored', version: 2 } });
  t.equal(reader.retryMs, 2000);
  await setState(server.pool, id, 'processing');
  await until('the change', () => reader.events.length === 2);
  await setState(server.pool, id, 'completed');
  await until('the end', () => reader.over !== undefined);
  t.equal(reader.over, 'ended');
  t.strictSame(reader.states, ['progress stored', 'progress processing', 'end completed']);
  t.strictSame(
    reader.events.map((event) => event.id),
    ['2', '3', '4'],
  );
  const again = new EventReader(t, port, id, '4');
  await until('the answer', () => again.over !== undefined);
  t.equal(again.status, 204);
  const late = new EventReader(t, port, id, '3');
  await until('the answer', () => late.over !== undefined);
  t.strictSame(late.states, ['end completed'], 'missed while away');
});

t.test('Last-Event-ID leaves out what is known', async (t) => {
  const { port } = await start(t);
  const { id } = await makeUpload(server);
  const known = new EventReader(t, port, id, '2');
  const others = ['1', '99', 'x', '-1', '2e0'].map((last) => new EventReader(t, port, id, last));
  await until('the others are told', () => others.every(({ events }) => events.length === 1));
  await until('it is there', () => known.retryMs !== undefined);
  t.strictSame(known.states, []);
  await setState(server.pool, id, 'failed');
  await until('all are over', () => [known, ...others].every(({ over }) => over === 'ended'));
  t.strictSame(known.states, ['end failed']);
});

t.test('one poller for all, while there are any', async (t) => {
  const { uploads, port } = await start(t);
  const made = await Promise.all([makeUpload(server), makeUpload(server)]);
  const readers = Array.from({ length: 30 }, (_, i) => new EventReader(t, port, made[i % 2]?.id ?? ''));
  await until('all are told', () => readers.every(({ events }) => events.length === 1));
  uploads.asked.length = 0;
  const startedMs = Date.now();
  await until('some polls', () => uploads.asked.length >= 5);
  t.ok(Date.now() - startedMs >= 4 * FAST.pollMs - 10, 'not more often than it should');
  t.ok(
    uploads.asked.every((ids) => ids.length === 2),
    'each upload once',
  );
  for (const reader of readers) reader.leave();
  await until('the poller rests', async () => {
    const before = uploads.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 5 * FAST.pollMs));
    return uploads.asked.length === before;
  });
  const back = new EventReader(t, port, made[0]?.id ?? '');
  await until('it is told', () => back.events.length === 1);
  await setState(server.pool, made[0]?.id ?? '', 'completed');
  await until('the poller works again', () => back.over === 'ended');
});

t.test('there are so many streams and no more', async (t) => {
  const { port } = await start(t, { ...FAST, streamsMax: 2 });
  const { id } = await makeUpload(server);
  const readers = [new EventReader(t, port, id), new EventReader(t, port, id)];
  await until('two are told', () => readers.every(({ events }) => events.length === 1));
  const third = new EventReader(t, port, id);
  await until('the answer', () => third.over !== undefined);
  t.equal(third.status, 503);
  readers[0]?.leave();
  await until('there is room', async () => {
    const next = new EventReader(t, port, id);
    await until('the answer', () => next.status !== 0);
    return next.status === 200;
  });
});

t.test('one client leaves room for others', async (t) => {
  const { port } = await start(t, { ...FAST, clientStreamsMax: 1 });
  const { id } = await makeUpload(server);
  const first = new EventReader(t, port, id);
  await until('it is told', () => first.events.length === 1);
  const [second, boss] = [new EventReader(t, port, id), new EventReader(t, port, id, undefined, 'boss')];
  await until('the answers', () => second.over !== undefined && boss.events.length === 1);
  t.strictSame([second.status, boss.status], [503, 200]);
});

t.test('a comment now and then, and an end after a while', async (t) => {
  const { port } = await start(t, { ...FAST, heartbeatMs: 30, streamMsMax: 400 });
  const { id } = await makeUpload(server);
  const reader = new EventReader(t, port, id);
  await until('it is over', () => reader.over !== undefined);
  t.equal(reader.over, 'ended');
  t.ok(reader.comments >= 2, `${reader.comments} comments`);
  t.strictSame(reader.states, ['progress stored']);
});

t.test('only its client listens to an upload; one that is removed ends the stream', async (t) => {
  const { port } = await start(t);
  const { id } = await makeUpload(server);
  const foreign = new EventReader(t, port, id, undefined, 'bolt');
  await until('the answer', () => foreign.over !== undefined);
  t.equal(foreign.status, 404);
  const own = new EventReader(t, port, id);
  await until('it is told', () => own.events.length === 1);
  await server.pool.query('DELETE FROM uploads WHERE id = $1', [id]);
  await until('it is over', () => own.over === 'ended');
});

t.test('a drain ends the streams at once', async (t) => {
  const { port, requests } = await start(t, PROGRESS_DEFAULTS);
  const { id } = await makeUpload(server);
  const reader = new EventReader(t, port, id);
  await until('it is told', () => reader.events.length === 1);
  const startedMs = Date.now();
  requests.drain();
  t.ok(await requests.idle(1000), 'nothing holds it up');
  await until('it is over', () => reader.over === 'ended');
  t.ok(Date.now() - startedMs < PROGRESS_DEFAULTS.pollMs);
});

/** A client that reads nothing yet, of an upload whose state takes so much. */
async function listenSlowly(t: Test, port: number, mebibytes: number) {
  const { id } = await makeUpload(server);
  await server.pool.query(`UPDATE uploads SET failure_code = 'x', failure_detail = $2 WHERE id = $1`, [
    id,
    'x'.repeat(mebibytes * 1024 * 1024),
  ]);
  const client = await RawClient.open(port);
  t.teardown(() => client.destroy());
  let text = '';
  client.socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  client.socket.pause();
  client.write(`GET /uploads/${id}/events HTTP/1.1\r\nHost: a\r\n${bearer('acme')}\r\n\r\n`);
  return { id, client, received: () => text };
}

t.test('a slow reader is told the latest, and costs no memory', async (t) => {
  const { port, uploads } = await start(t);
  const { id, client, received } = await listenSlowly(t, port, 1);
  const CHANGES = 20;
  for (let i = 0; i < CHANGES; i++) {
    await setState(server.pool, id, 'processing');
    const polls = uploads.asked.length;
    await until('the change is seen', () => uploads.asked.length >= polls + 2);
  }
  client.socket.resume();
  await until('the latest state', () => received().includes(`id: ${CHANGES + 2}\n`));
  const told = [...received().matchAll(/^id: (\d+)$/gm)].length;
  t.ok(told < CHANGES / 2, `${told} of ${CHANGES} changes were told`);
  await setState(server.pool, id, 'completed');
  await until('the end', () => received().includes('event: end'));
});

t.test('a slow reader is told all of a state, though nothing follows it', async (t) => {
  const { port, uploads } = await start(t);
  const { id, client, received } = await listenSlowly(t, port, 16);
  await until('it is listened to', () => uploads.asked.length >= 2);
  client.socket.resume();
  await until('the whole state', () => received().includes(`/uploads/${id}/errors.csv"}}\n\n`));
});

t.test('Postgres goes away and comes back: the stream goes on', async (t) => {
  const proxy = await startFaultProxy(t, Number(new URL(shared.url).port));
  const url = new URL(shared.url);
  url.port = String(proxy.port);
  const own = createPool({
    url: url.href,
    connectionsMax: 2,
    applicationName: 'tether test',
    logger: silentLogger,
  });
  t.teardown(() => own.end());
  const { port, uploads } = await start(t, { ...FAST, heartbeatMs: 50 }, own);
  const { id } = await makeUpload(server);
  const reader = new EventReader(t, port, id);
  await until('it is told', () => reader.events.length === 1);
  await proxy.set({ kind: 'refuse' });
  const polls = uploads.asked.length;
  await until('the poller has failed', () => uploads.asked.length > polls + 2);
  await setState(server.pool, id, 'completed');
  const { comments } = reader;
  await until('still alive', () => reader.comments > comments + 2);
  t.strictSame([reader.over, reader.events.length], [undefined, 1]);
  await proxy.set({ kind: 'pass' });
  await until('the end', () => reader.over === 'ended');
  t.strictSame(reader.states, ['progress stored', 'end completed']);
});

t.test('Postgres is silent: one question waits for its answer, and the streams live', async (t) => {
  const proxy = await startFaultProxy(t, Number(new URL(shared.url).port));
  const own = createPool({
    url: shared.url.replace(/:\d+\//, `:${proxy.port}/`),
    connectionsMax: 2,
    applicationName: 'tether test',
    logger: silentLogger,
  });
  t.teardown(() => own.end());
  const { port, uploads } = await start(t, { ...FAST, heartbeatMs: 50 }, own);
  const { id } = await makeUpload(server);
  const reader = new EventReader(t, port, id);
  await until('some polls', () => uploads.asked.length >= 2);
  await proxy.set({ kind: 'stall' });
  const asked = uploads.asked.length;
  const { comments } = reader;
  await until('still alive', () => reader.comments >= comments + 5);
  t.ok(uploads.asked.length <= asked + 1, `${uploads.asked.length - asked} more`);
  await proxy.set({ kind: 'refuse' });
});
