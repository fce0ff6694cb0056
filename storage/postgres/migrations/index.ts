import { deadLetters } from './0001-dead-letters.js';
import { payments } from './0002-payments.js';
import { stores } from './0003-stores.js';
import { uploads } from './0004-uploads.js';
import { tokens } from './0005-tokens.js';
import { partitionEpochs } from './0006-partition-epochs.js';
import { pools } from './0007-pools.js';
import { finding } from './0008-finding.js';
import { webhooks } from './0009-webhooks.js';
import { endpoints } from './0010-endpoints.js';
import { forwards } from './0011-forwards.js';
import { archive } from './0012-archive.js';
import { replays } from './0013-replays.js';
import { sealedIbans } from './0014-sealed-ibans.js';
import type { Migration } from './migration.js';

/** Every migration, in order. */
export const migrations: readonly Migration[] = [
  deadLetters,
  payments,
  stores,
  uploads,
  tokens,
  partitionEpochs,
  pools,
  finding,
  webhooks,
  endpoints,
  forwards,
  archive,
  replays,
  sealedIbans,
];

export type { Migration } from './migration.js';
