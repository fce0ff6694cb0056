/**
 * The stream and the consumer of the peer with NATS JetStream: a file, one copy, and a message is gone when it is acknowledged
 * (JetStream's policy for work queues).
 */
import { AckPolicy, jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { connect, type NatsConnection, nanos } from '@nats-io/transport-node';

export const NATS_SUBJECT = 'notifications';
export const NATS_STREAM = 'notifications';
export const NATS_CONSUMER = 'peer-worker';

const ACK_WAIT_MS = 30_000;

/** Connects, and makes stream and consumer where they are not there. */
export async function openStream(url: string): Promise<NatsConnection> {
  const connection = await connect({ servers: url });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({
    name: NATS_STREAM,
    subjects: [NATS_SUBJECT],
    storage: StorageType.File,
    retention: RetentionPolicy.Workqueue,
    num_replicas: 1,
  });
  await manager.consumers.add(NATS_STREAM, {
    durable_name: NATS_CONSUMER,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_MS),
    max_ack_pending: 1_000,
  });
  return connection;
}
