/**
 * The peer's edge: Fastify takes the notification, verifies its signature and adds a BullMQ job before it answers, as the
 * documentation of both shows it.
 *
 * Arguments: Redis port, API password.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Queue } from 'bullmq';
import { fastify } from 'fastify';

const [redisPort, password = ''] = process.argv.slice(2);
const queue = new Queue('notifications', { connection: { host: '127.0.0.1', port: Number(redisPort) } });
const app = fastify({ logger: false });

app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
  done(null, body),
);

app.post('/webhooks/:endpoint/:token', async (request, reply) => {
  const body = request.body as string;
  const form = new URLSearchParams(body);
  const id = form.get('unique_id') ?? form.get('wpf_unique_id') ?? form.get('reference_id') ?? '';
  const given = Buffer.from(form.get('signature') ?? '', 'hex');
  const algorithm = given.length === 20 ? 'sha1' : given.length === 32 ? 'sha256' : 'sha512';
  const expected = createHash(algorithm).update(`${id}${password}`).digest();
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return reply.code(401).send();
  await queue.add('notification', { body }, { removeOnComplete: true, removeOnFail: false });
  return reply
    .type('application/xml')
    .send(
      `<?xml version="1.0" encoding="UTF-8"?>\n<notification_echo>\n  <unique_id>${id}</unique_id>\n</notification_echo>`,
    );
});

await app.listen({ host: '127.0.0.1', port: 0 });
const address = app.server.address();
if (address === null || typeof address === 'string') throw new Error('no port');
process.send?.({ port: address.port });
process.on('SIGTERM', () => process.exit(0));
