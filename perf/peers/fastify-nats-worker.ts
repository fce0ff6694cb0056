/**
 * The worker of the peer Fastify and NATS JetStream: a durable pull consumer, each message acknowledged when its effect is committed.
 *
 * Settings, after the README of `@nats-io/jetstream`: `consume`, which asks for more while it still has messages, with a buffer of twice the
 * jobs under way, all of which are done long before the server would send them again; messages are handled side by side, with a limit that is
 * ours to keep. The server lets 1,000 be unacknowledged (its default), more than both together.
 *
 * Arguments: NATS URL, Postgres URL.
 */
import { type JsMsg, jetstream } from '@nats-io/jetstream';
import { JOBS_AT_ONCE, openEffect } from './effect.js';
import { NATS_CONSUMER, NATS_STREAM, openStream } from './nats-stream.js';
import { ready } from './program.js';

const BUFFER = 2 * JOBS_AT_ONCE;
const NAK_MS = 1_000;

const [url = '', databaseUrl = ''] = process.argv.slice(2);
const effect = await openEffect(databaseUrl);
const connection = await openStream(url);
const consumer = await jetstream(connection).consumers.get(NATS_STREAM, NATS_CONSUMER);
const messages = await consumer.consume({ max_messages: BUFFER });

let underWay = 0;
/** Wakes the loop that waits for one of the jobs under way to end. */
let jobEnded = () => {};

async function handle(message: JsMsg): Promise<void> {
  try {
    await effect.apply(message.string(), message.info.timestampNanos / 1e6);
    message.ack();
  } catch (error) {
    console.error(error);
    message.nak(NAK_MS);
  } finally {
    underWay--;
    jobEnded();
  }
}

async function handleAll(): Promise<void> {
  for await (const message of messages) {
    underWay++;
    void handle(message);
    while (underWay >= JOBS_AT_ONCE) {
      await new Promise<void>((resolve) => {
        jobEnded = resolve;
      });
    }
  }
}

const handled = handleAll();
ready({}, async () => {
  messages.stop();
  await handled;
  await connection.drain();
  await effect.close();
});
