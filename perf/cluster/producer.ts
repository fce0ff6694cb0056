/**
 * Appends through the log in Redis, as fast as it takes them, the same number of messages to each partition, in frames of `PER_FRAME`.
 *
 * Arguments: Redis URL, prefix of the log, actor. At a `ProduceOrder` it appends and answers with `Produced`.
 */
import { encodeEnvelope } from '../../runtime/envelope.js';
import { MessageIdSource } from '../../runtime/message-id.js';
import type { AppendWaiter } from '../../runtime/message-log.js';
import { partitionOf } from '../../runtime/partition.js';
import { openRedisLog } from '../../storage/redis-log/open.js';
import { PARTITIONS, PAYLOAD_BYTES, PER_FRAME, type Produced, type ProduceOrder } from './work.js';

/** On their way at once: while Redis takes one, the next waits in its socket. */
const GROUPS = 2;
const KEYS_PER_PARTITION = 16;

const [url = '', prefix = '', actor = ''] = process.argv.slice(2);
const log = await openRedisLog({ url, prefix, partitions: PARTITIONS });
const partitions = log.open(actor);
const keys = keysByPartition();
const ids = new MessageIdSource();
const payload = Buffer.alloc(PAYLOAD_BYTES, 'x');
let made = 0;

/** `KEYS_PER_PARTITION` keys that belong to each partition. */
function keysByPartition(): readonly (readonly string[])[] {
  const found: string[][] = Array.from({ length: PARTITIONS }, () => []);
  for (let at = 0; found.some(({ length }) => length < KEYS_PER_PARTITION); at++) {
    found[partitionOf(`account-${at}`, PARTITIONS)]?.push(`account-${at}`);
  }
  return found;
}

/** One frame for each partition. Resolves with its bytes, when all of them are on the log. */
function appendGroup(): Promise<number> {
  return new Promise((resolve, reject) => {
    let waiting = PARTITIONS * PER_FRAME;
    let bytes = 0;
    const waiter: AppendWaiter = {
      appended: () => {
        if (--waiting === 0) resolve(bytes);
      },
      appendFailed: reject,
    };
    const receivedAt = Date.now();
    for (const partition of partitions) {
      const own = keys[partition.index] ?? [];
      for (let at = 0; at < PER_FRAME; at++) {
        const dedupe = `message-${made++}`;
        const key = own[made % own.length] ?? '';
        const id = ids.next(receivedAt);
        const envelope = encodeEnvelope({ id, actor, key, dedupe, receivedAt, traceparent: '', payload });
        bytes += envelope.length;
        partition.append(envelope, waiter);
      }
    }
  });
}

async function produce(count: number): Promise<Produced> {
  let groups = count / (PARTITIONS * PER_FRAME);
  if (!Number.isInteger(groups)) throw new RangeError(`${count} messages are no whole groups`);
  let bytes = 0;
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const lane = async () => {
    while (groups-- > 0) {
      const appended = await appendGroup();
      bytes += appended;
    }
  };
  await Promise.all(Array.from({ length: GROUPS }, lane));
  const seconds = (performance.now() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { seconds, cpuSeconds: (user + system) / 1e6, bytes };
}

process.on('message', async ({ count }: ProduceOrder) => process.send?.(await produce(count)));
process.on('SIGTERM', async () => {
  await log.close();
  process.exit(0);
});
process.send?.({});
