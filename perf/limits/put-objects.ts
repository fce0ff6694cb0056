/** The limit of uploads: objects put into an S3 server with the `minio` client, straight, from memory, some at a time. */
import { makeBucket, s3BucketOf } from './s3-client.js';

interface ObjectsLimit {
  /** `http://key:secret@host:port/bucket`; the bucket is made where it is not there. */
  readonly url: string;
  readonly objects: number;
  /** Of each; up to 64 MiB, which is put in one request. */
  readonly bytes: number;
  /** Puts under way. */
  readonly concurrency: number;
}

interface ObjectsFigures {
  readonly objectsPerSecond: number;
  readonly megabytesPerSecond: number;
}

/** The client makes parts of what is larger. */
const BYTES_MAX = 64 * 1024 * 1024;
const PREFIX = 'bare-put';

/** The objects are removed. */
async function putObjects({ url, objects, bytes, concurrency }: ObjectsLimit): Promise<ObjectsFigures> {
  if (bytes > BYTES_MAX) throw new RangeError(`an object has at most ${BYTES_MAX} bytes here, not ${bytes}`);
  const s3 = s3BucketOf(url);
  const { client, bucket } = s3;
  await makeBucket(s3);
  const content = Buffer.alloc(bytes, 'x');
  const names = Array.from({ length: objects }, (_, at) => `${PREFIX}-${at}`);
  const queue = names.values();
  const lane = async () => {
    for (const name of queue) await client.putObject(bucket, name, content, bytes);
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: concurrency }, lane));
  const seconds = (performance.now() - startMs) / 1_000;
  for (const name of names) await client.removeObject(bucket, name);
  return { objectsPerSecond: objects / seconds, megabytesPerSecond: (objects * bytes) / 1e6 / seconds };
}

export { type ObjectsFigures, type ObjectsLimit, putObjects };
