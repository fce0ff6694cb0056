/**
 * What stands where in the data directory:
 *
 *     api-token   the generated API token, mode 0600
 *     journal/    the messages that are acknowledged and not yet processed
 *     objects/    uploaded files, without TETHER_S3_URL
 *     postgres/   the embedded Postgres, without TETHER_DATABASE_URL
 */
import { join } from 'node:path';

const apiTokenFile = (dataDir: string): string => join(dataDir, 'api-token');
const journalDir = (dataDir: string): string => join(dataDir, 'journal');
const objectsDir = (dataDir: string): string => join(dataDir, 'objects');
const postgresDir = (dataDir: string): string => join(dataDir, 'postgres');

export { apiTokenFile, journalDir, objectsDir, postgresDir };
