/**
 * The edge of the peer Fastify and NATS JetStream: answers when the stream has acknowledged the message. How durable that is, the server
 * decides (`sync` in `nats.ts`).
 *
 * Settings, after the README of `@nats-io/jetstream`: `publish` waits for the stream's acknowledgement; many of them are under way at once on
 * one connection. The headers by which it finds duplicates are not sent: no other peer looks for them before the effect.
 *
 * Arguments: NATS URL, API password.
 */
import { jetstream } from '@nats-io/jetstream';
import { serveByFastify } from './fastify-webhooks.js';
import { NATS_SUBJECT, openStream } from './nats-stream.js';
import { ready } from './program.js';

/** Its default of 5 s is less than a queue of synced writes may take on a slow disk. */
const PUBLISH_MS_MAX = 30_000;

const [url = '', password = ''] = process.argv.slice(2);
const stream = jetstream(await openStream(url));
const port = await serveByFastify(password, (body) =>
  stream.publish(NATS_SUBJECT, body, { timeout: PUBLISH_MS_MAX }),
);
ready({ port });
