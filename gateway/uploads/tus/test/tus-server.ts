/**
 * A gateway with tus in a process of its own, to be killed: `node tus-server.js <url of Postgres> <settings of objects as JSON> <port>`.
 * Says to its parent when it listens, and what goes to the upload actor.
 */
import { Uploads } from '../../../../actors/upload/uploads.js';
import { silentLogger } from '../../../../runtime/logger.js';
import { MessageIdSource } from '../../../../runtime/message-id.js';
import type { ObjectStoreSettings } from '../../../../storage/objects/object-store.js';
import { openObjectStore } from '../../../../storage/objects/open.js';
import { createPool } from '../../../../storage/postgres/pool.js';
import { GatewayMetrics } from '../../../metrics.js';
import { startGateway } from '../../../server.js';
import { startIntake } from '../../intake/pool.js';

export type FromTusServer =
  | { readonly type: 'listening' }
  | { readonly type: 'enqueued'; readonly uploadId: string };

const [, , url = '', settings = '', port = '0'] = process.argv;
const objectsSettings = JSON.parse(settings) as ObjectStoreSettings;
const objects = await openObjectStore(objectsSettings);
await objects.prepare();
const pool = createPool({
  url,
  connectionsMax: 4,
  applicationName: 'tus test server',
  logger: silentLogger,
});
const ids = new MessageIdSource();
const say = (message: FromTusServer) => process.send?.(message);

await startGateway({
  host: '127.0.0.1',
  port: Number(port),
  endpoints: [],
  partitions: () => [],
  readiness: () => ({ ready: true, checks: {} }),
  trustedProxies: [],
  proxyProtocol: false,
  metrics: new GatewayMetrics({ processMetrics: false }),
  logger: silentLogger,
  now: Date.now,
  uploads: {
    authenticator: {
      authenticate: async (authorization) =>
        authorization === 'Bearer acme' ? { name: 'acme', scopes: new Set(['uploads:write']) } : undefined,
    },
    uploads: new Uploads(pool),
    pool,
    objects,
    intake: startIntake({ threads: 1, activeMax: 8, objects: objectsSettings, logger: silentLogger }),
    limits: { textBytesMax: 512 * 1024 * 1024, xlsxBytesMax: 512 * 1024 * 1024 },
    expiryMs: 3_600_000,
    enqueue: async (uploadId) => {
      say({ type: 'enqueued', uploadId });
    },
    nextId: () => ids.next(Date.now()),
    logger: silentLogger,
    now: Date.now,
  },
});
say({ type: 'listening' });
// Its parent is gone: so is it.
process.on('disconnect', () => process.exit());
