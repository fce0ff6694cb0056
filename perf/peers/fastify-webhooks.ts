/**
 * The edge of the peers that have Fastify: takes the notification, verifies it, and answers when it is stored.
 *
 * Settings: no log (Fastify's own default; a line for each request would cost as much as the request), and the form is kept as text, because
 * it is stored as it came. Fastify's advice on schemas for answers concerns JSON; this answer is a string.
 */
import { fastify } from 'fastify';
import { echoOf, verifiedId } from './notification.js';

/**
 * @param store resolves when the notification is durable; what it rejects with becomes an answer of 500
 * @returns the port
 */
export async function serveByFastify(
  password: string,
  store: (body: string) => Promise<unknown>,
): Promise<number> {
  const app = fastify({ logger: false });
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, body),
  );
  app.post('/webhooks/:endpoint/:token', async (request, reply) => {
    const body = request.body as string;
    const id = verifiedId(body, password);
    if (id === undefined) return reply.code(401).send();
    await store(body);
    return reply.type('application/xml').send(echoOf(id));
  });
  app.addHook('onError', async (_request, _reply, error) => console.error(error));
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('Fastify listens on no port');
  return address.port;
}
