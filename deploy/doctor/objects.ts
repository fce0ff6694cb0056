/**
 * Checks of the object store of uploads: that a node can use it, and that nobody else can.
 *
 * Its probe is an object of its own below `probe/`, which `undo` removes; a doctor that is killed outright leaves an object of a few bytes there.
 */
import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { request } from 'undici';
import type { S3ObjectStore } from '../../storage/objects/s3/s3-store.js';
import { parseS3Url } from '../../storage/objects/s3/url.js';
import { type Check, type CheckContext, type Finding, failed, ok, skipped, warning } from './check.js';
import { isLoopback } from './loopback.js';

const CALL_MS_MAX = 2_500;
const LIMITS = {
  connectMs: CALL_MS_MAX,
  idleMs: CALL_MS_MAX,
  callMs: CALL_MS_MAX,
  putMs: CALL_MS_MAX,
};

type Location = NonNullable<ReturnType<typeof parseS3Url>['location']>;

/** Where the store is, or why there is none to look at. */
function locationOf({
  settings,
  refused,
}: Pick<CheckContext, 'settings' | 'refused'>): { readonly location: Location } | { readonly none: Finding } {
  if (refused.has('TETHER_S3_URL')) return { none: skipped('TETHER_S3_URL is refused') };
  const { location } = parseS3Url(settings.uploads.s3Url ?? '');
  return location === undefined
    ? { none: skipped('TETHER_S3_URL is not set: files are kept in the data directory') }
    : { location };
}

async function onStore(
  context: CheckContext,
  work: (store: S3ObjectStore, location: Location) => Promise<Finding>,
): Promise<Finding> {
  const place = locationOf(context);
  if ('none' in place) return place.none;
  // The client takes a fifth of a second to load: where there is an S3 only.
  const { S3ObjectStore } = await import('../../storage/objects/s3/s3-store.js');
  const { s3Encryption: encryption } = context.settings.uploads;
  const store = new S3ObjectStore(place.location, {
    limits: LIMITS,
    ...(encryption === undefined ? {} : { encryption }),
  });
  context.undo(() => store.close());
  return work(store, place.location);
}

/** An object that is gone when the check has ended. */
async function putProbe(
  store: S3ObjectStore,
  { undo }: CheckContext,
): Promise<{ key: string; bytes: Buffer }> {
  const key = `probe/doctor-${randomUUID()}`;
  const bytes = Buffer.from(`a probe of tether doctor, ${key}`);
  let putting: Promise<void> = Promise.resolve();
  undo(async () => {
    // What is still under way would make it anew.
    const made = await putting.then(
      () => true,
      () => false,
    );
    if (made) await store.delete(key);
    // A put that failed by time may have been heard all the same.
    else await store.delete(key).catch(() => {});
  });
  putting = store.put(key, bytes);
  await putting;
  return { key, bytes };
}

const use: Check = {
  id: 's3-use',
  title: 'The bucket is there, and a node can write, read and delete in it',
  run: (context) =>
    onStore(context, async (store, { host, port, bucket }) => {
      try {
        const { key, bytes } = await putProbe(store, context);
        const read = await buffer(await store.read(key));
        if (!read.equals(bytes))
          return failed('what was read is not what was written', 'this is no S3 to trust');
        await store.list('probe/', { limit: 1 });
        await store.delete(key);
        if ((await store.stat(key)) !== undefined) {
          return warning(
            'what was deleted is still there',
            'is the bucket versioned, or under a legal hold? Files of uploads would never go',
          );
        }
        return ok(`${host}:${port}, bucket ${bucket}`);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        const advice = /bucket is not there/.test(message)
          ? `make the bucket ${bucket}; a node does so itself at its start, where its keys allow it`
          : 'mend TETHER_S3_URL, the rights of its keys (read, write, list, delete), or the network between';
        return failed(message, advice);
      }
    }),
};

const privacy: Check = {
  id: 's3-private',
  title: 'The bucket is private',
  run: (context) =>
    onStore(context, async (store, { bucket }) => {
      let key: string;
      try {
        ({ key } = await putProbe(store, context));
      } catch {
        return skipped('the store cannot be used: see s3-use');
      }
      const object = new URL(await store.presigner.put(key, 60));
      object.search = '';
      // By its path or by its host name, as the object's own is.
      const list = new URL(object.pathname.startsWith(`/${bucket}/`) ? `/${bucket}` : '/', object);
      list.search = '?list-type=2&max-keys=1';
      const open = [
        ...((await isAllowed('GET', object)) ? ['read'] : []),
        ...((await isAllowed('GET', list)) ? ['list'] : []),
        ...((await isAllowed('PUT', object)) ? ['change'] : []),
      ];
      return open.length === 0
        ? ok('a stranger may neither read, nor list, nor change it')
        : failed(
            `whoever reaches the store may ${open.join(' and ')} what is in bucket ${bucket}, without a key`,
            'take the public policy and the public ACL off the bucket (AWS: block public access)',
          );
    }),
};

/** To somebody without a key. */
async function isAllowed(method: 'GET' | 'PUT', url: URL): Promise<boolean> {
  const { statusCode, body } = await request(url, {
    method,
    ...(method === 'PUT' ? { body: 'a stranger was here' } : {}),
    headersTimeout: CALL_MS_MAX,
    bodyTimeout: CALL_MS_MAX,
  });
  await body.dump();
  return statusCode >= 200 && statusCode < 300;
}

const encrypted: Check = {
  id: 's3-tls',
  title: 'What goes to the object store is encrypted, or stays on this machine',
  async run(context) {
    const place = locationOf(context);
    if ('none' in place) return place.none;
    if (place.location.secure) return ok('TLS, and its certificate is checked');
    if (await isLoopback(place.location.host)) return ok('no TLS, and on this machine alone');
    return warning(
      'no TLS: files of debtors can be read on the way',
      'write https:// in TETHER_S3_URL, or be sure that the network is yours alone',
    );
  },
};

const objectChecks: readonly Check[] = [use, privacy, encrypted];

export { locationOf, objectChecks };
