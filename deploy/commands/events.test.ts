import { randomUUID } from 'node:crypto';
import t from 'tap';
import { Payloads } from '../../actors/archive/payloads.js';
import { PaymentEvents } from '../../actors/payment/events.js';
import { messageOf, openActor } from '../../actors/payment/test/harness.js';
import { Uploads } from '../../actors/upload/uploads.js';
import { eventRoutes, uploadListRoutes } from '../../gateway/index.js';
import { startTestGateway } from '../../gateway/test/start.js';
import { silentLogger } from '../../runtime/logger.js';
import { letter } from '../../storage/dead-letter-contract.js';
import { FolderObjectStore } from '../../storage/objects/folder/folder-store.js';
import { createDeadLetterStore } from '../../storage/postgres/index.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { spawnCli } from '../test/spawn-cli.js';
import { findEvents, showEvent } from './events-run.js';
import { listUploads } from './uploads-run.js';

// Some cases are processes of their own, which take a while on a busy machine.
t.setTimeout(60_000);

const TOKEN = 'a-token-of-some-length';
const { pool, url } = await startTestPostgres(t);
const deadLetters = createDeadLetterStore(pool);
const uploads = new Uploads(pool);
const objects = new FolderObjectStore(t.testdir());
await objects.prepare();
const payloads = new Payloads(pool, async () => objects, silentLogger);
const { gateway } = await startTestGateway(t, {
  operations: {
    token: TOKEN,
    version: '1.0.0',
    routes: [
      ...eventRoutes({ events: new PaymentEvents(pool), deadLetters, payloads }),
      ...uploadListRoutes({ uploads, now: Date.now }),
    ],
  },
});
const env = { TETHER_URL: `http://127.0.0.1:${gateway.port}`, TETHER_API_TOKEN: TOKEN };

t.test('find and show one event', async (t) => {
  t.match(await findEvents({ limit: 5 }, env), { text: 'no events\n', hint: undefined });
  const actor = await openActor(url);
  t.teardown(() => actor.close());
  const sent = messageOf('unique_id=p1&status=approved&amount=100&currency=EUR&iban=DE89370400440532013000');
  await actor.receive([sent, messageOf('unique_id=p1&status=refunded')]);
  await deadLetters.put([letter({ key: 'emp:p1' })]);

  const found = await spawnCli(['events', 'find', '--key', 'emp:p1', '--kind', 'processing'], env);
  t.match(found, { code: 0, stderr: '', stdout: /^ID +RECEIVED +ENDPOINT +KIND +STATUS +REPORTED +KEY\n/ });
  t.equal(found.stdout.split('\n').length, 4);
  t.equal(JSON.parse((await findEvents({ limit: 1, json: true }, env)).text).length, 1);
  t.match(await spawnCli(['events', 'find', '--from', 'lost'], env), { code: 1, stderr: /400 .*from/ });

  const shown = await showEvent(sent.id, {}, env);
  t.match(shown, /^body +unique_id=p1&status=approved&amount=100&currency=EUR&iban=\*\*\*$/m);
  t.match(shown, /^payment +refunded, 100 EUR/m);
  t.match(shown, /other events of the payment\nID [^\n]*\n\S+ .* refunded +p1\n/);
  t.match(shown, /dead letters of the key\nID /);
  t.match(await showEvent(sent.id, { reveal: true }, env), /&iban=DE89370400440532013000$/m);
  t.equal(JSON.parse(await showEvent(sent.id, { json: true }, env)).event.id, sent.id);
  t.match(await spawnCli(['events', 'show', randomUUID()], env), {
    code: 1,
    stderr: /404 Not Found: there is no event/,
  });
});

t.test('uploads', async (t) => {
  t.equal(await listUploads({ limit: 5 }, env), 'no uploads\n');
  const id = randomUUID();
  await uploads.create({
    id,
    owner: 'acme',
    via: 'raw',
    filename: 'a\u001b.csv',
    objectKey: 'k',
    bytesExpected: 200,
  });
  await uploads.received(id, 50);
  const list = await spawnCli(['uploads', 'list', '--state', 'receiving', '--client', 'acme'], env);
  t.match(list, { code: 0, stderr: '', stdout: /^ID +CLIENT +STATE +DONE .*\n\S+ +acme +receiving +25% / });
  t.notOk(list.stdout.includes('\u001b'), 'no control characters');
  t.equal(JSON.parse(await listUploads({ limit: 5, json: true }, env)).length, 1);
});
