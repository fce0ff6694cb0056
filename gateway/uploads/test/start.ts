/**
 * A gateway with uploads, for tests: a real Postgres, a real object store (a folder, or S3), real intake threads. Tokens are fixed, and
 * what goes to the upload actor is recorded instead.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Upload } from '../../../actors/upload/model.js';
import { Uploads } from '../../../actors/upload/uploads.js';
import { silentLogger } from '../../../runtime/logger.js';
import { MessageIdSource } from '../../../runtime/message-id.js';
import type { ObjectStore, ObjectStoreSettings } from '../../../storage/objects/object-store.js';
import { openObjectStore } from '../../../storage/objects/open.js';
import type { Pool } from '../../../storage/postgres/pool.js';
import { startTestPostgres, type TestPostgres } from '../../../storage/postgres/test-server.js';
import type { Authenticator, Client, Scope } from '../../auth/client.js';
import type { RawResponse, RequestParts } from '../../test/raw-client.js';
import { startTestGateway, type TestGateway } from '../../test/start.js';
import type { IntakeLimits, IntakePool } from '../intake/intake.js';
import { startIntake } from '../intake/pool.js';
import type { UploadParts } from '../parts.js';

const client = (name: string, ...scopes: readonly Scope[]): Client => ({ name, scopes: new Set(scopes) });

/** By token. `acme` and `bolt` are two clients, `acme-reader` is acme's token without the right to write. */
export const CLIENTS: Readonly<Record<string, Client>> = {
  acme: client('acme', 'uploads:read', 'uploads:write'),
  bolt: client('bolt', 'uploads:read', 'uploads:write'),
  'acme-reader': client('acme', 'uploads:read'),
  boss: client('boss', 'uploads:read', 'uploads:write', 'uploads:all'),
};

/** The header of a token. */
export const bearer = (token: string): string => `Authorization: Bearer ${token}`;

const authenticator: Authenticator = {
  async authenticate(authorization) {
    const token = /^Bearer (.+)$/.exec(authorization)?.[1] ?? '';
    return Object.hasOwn(CLIENTS, token) ? CLIENTS[token] : undefined;
  },
};

export const TEST_LIMITS: IntakeLimits = { textBytesMax: 512 * 1024 * 1024, xlsxBytesMax: 50 * 1024 * 1024 };

export interface Enqueued {
  readonly uploadId: string;
  readonly type: 'process' | 'cancel';
}

export interface TestUploads extends TestGateway {
  /** What the handlers have. */
  readonly parts: UploadParts;
  readonly uploads: Uploads;
  readonly pool: Pool;
  readonly objects: ObjectStore;
  readonly intake: IntakePool;
  /** What the upload actor was told, in order. */
  readonly enqueued: Enqueued[];
  /** Keys of all objects, and of multiparts that are not complete. */
  stored(): Promise<{ readonly objects: readonly string[]; readonly multiparts: readonly string[] }>;
  /** The latest upload of all. */
  latest(): Promise<Upload | undefined>;
  /** `ask` with a token, `acme` by default. */
  askAs(parts: RequestParts, token?: string): Promise<RawResponse>;
}

export interface TestUploadsOptions {
  /** Started once for a file of tests; otherwise one is started. */
  readonly postgres?: Pick<TestPostgres, 'pool'>;
  /** Default: a folder of its own. */
  readonly objects?: ObjectStoreSettings;
  readonly threads?: number;
  readonly activeMax?: number;
  /** Of the intake. */
  readonly outageMsMax?: number;
  /** Overrides what the handlers get. */
  readonly parts?: Partial<UploadParts>;
}

/** Closed at the end of the test. */
export async function startTestUploads(t: Test, options: TestUploadsOptions = {}): Promise<TestUploads> {
  const { pool } = options.postgres ?? (await startTestPostgres(t));
  const settings = options.objects ?? (await folderOf(t));
  const objects = await openObjectStore(settings);
  t.teardown(() => objects.close());
  await objects.prepare();
  const intake = startIntake({
    threads: options.threads ?? 1,
    activeMax: options.activeMax ?? 16,
    objects: settings,
    ...(options.outageMsMax === undefined ? {} : { outageMsMax: options.outageMsMax }),
    logger: silentLogger,
  });
  t.teardown(() => intake.close(1_000));
  const uploads = new Uploads(pool);
  const ids = new MessageIdSource();
  const enqueued: Enqueued[] = [];
  const parts: UploadParts = {
    authenticator,
    uploads,
    pool,
    objects,
    intake,
    limits: TEST_LIMITS,
    expiryMs: 24 * 3_600_000,
    enqueue: async (uploadId, type) => {
      enqueued.push({ uploadId, type });
    },
    nextId: () => ids.next(Date.now()),
    logger: silentLogger,
    now: Date.now,
    ...options.parts,
  };
  const gateway = await startTestGateway(t, { uploads: parts });
  return {
    ...gateway,
    parts,
    uploads,
    pool,
    objects,
    intake,
    enqueued,
    async stored() {
      const [listed, multiparts] = await Promise.all([
        objects.list('', { limit: 1_000 }),
        objects.listMultiparts('', 1_000),
      ]);
      return { objects: listed.map(({ key }) => key), multiparts: multiparts.map(({ key }) => key) };
    },
    latest: async () => (await uploads.list({ limit: 1 }))[0],
    askAs: (parts, token = 'acme') =>
      gateway.ask({ ...parts, headers: [bearer(token), ...(parts.headers ?? [])] }),
  };
}

async function folderOf(t: Test): Promise<ObjectStoreSettings> {
  const directory = await mkdtemp(join(tmpdir(), 'tether-uploads-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return { driver: 'folder', directory };
}
