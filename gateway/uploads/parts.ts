/** What the handlers of uploads stand on. */
import type { Uploads } from '../../actors/upload/uploads.js';
import type { Logger } from '../../runtime/logger.js';
import type { ObjectStore } from '../../storage/objects/object-store.js';
import type { Pool } from '../../storage/postgres/pool.js';
import type { Authenticator } from '../auth/client.js';
import type { TokenRefusals } from '../auth/refusals.js';
import type { Intake } from '../intake.js';
import type { IntakeLimits, IntakePool } from './intake/intake.js';

/** From the composition root. */
export interface UploadParts {
  readonly authenticator: Authenticator;
  readonly uploads: Uploads;
  /** For what has a table of its own: resumable uploads, errors of rows. */
  readonly pool: Pool;
  readonly objects: ObjectStore;
  readonly intake: IntakePool;
  readonly limits: IntakeLimits;
  /** After which a resumable or direct upload that is not complete is given up, milliseconds. */
  readonly expiryMs: number;
  /** Between two signs of life of an upload whose bytes come in, milliseconds. Default 5,000. */
  readonly signOfLifeMs?: number;
  /** Puts the upload on the log, durably, for the upload actor. @throws LogFullError, LogClosedError */
  enqueue(uploadId: string, type: 'process' | 'cancel'): Promise<void>;
  /** UUID version 7. */
  nextId(): string;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** For the handlers. */
export interface UploadContext extends UploadParts {
  /** Of the gateway: requests under way hold up a drain, and none is taken while it drains. */
  readonly requests: Intake;
  readonly refusals: TokenRefusals;
}
