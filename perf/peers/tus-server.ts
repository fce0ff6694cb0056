/**
 * The peer for uploads: the Node server of the tus project with its store for S3, which is how a team without Tether would take large files.
 *
 * Settings, after the README of `@tus/s3-store`: parts of 8 MiB and up to 60 of them under way, its defaults, which it chose together. Tags are
 * off, as it advises for a server without them (Swift has none). The AWS client under it addresses buckets by path, as a server on one address
 * needs, and sends the checksums that S3 requires, not those it supports, which Swift refuses. The parts are files in the system's directory for
 * temporary files until they are sent. Uploads and their locks are remembered in memory, its default for a single server.
 *
 * Argument: URL of the store (`http://key:secret@host:port/bucket`).
 */
import { once } from 'node:events';
import { S3Store } from '@tus/s3-store';
import { Server } from '@tus/server';
import { makeBucket, s3BucketOf } from '../limits/s3-client.js';
import { ready } from './program.js';

const PART_BYTES = 8 * 1024 * 1024;
const PARTS_MAX = 60;

const [storeUrl = ''] = process.argv.slice(2);
const { origin, username, password } = new URL(storeUrl);
const s3 = s3BucketOf(storeUrl);
await makeBucket(s3);
const datastore = new S3Store({
  partSize: PART_BYTES,
  maxConcurrentPartUploads: PARTS_MAX,
  useTags: false,
  s3ClientConfig: {
    bucket: s3.bucket,
    region: 'us-east-1',
    endpoint: origin,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    credentials: {
      accessKeyId: decodeURIComponent(username),
      secretAccessKey: decodeURIComponent(password),
    },
  },
});
const server = new Server({ path: '/files', datastore }).listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
if (address === null || typeof address === 'string') throw new Error('the tus server listens on no port');
ready({ port: address.port });
