import { createRequire } from 'node:module';
import t from 'tap';
import { openObjectStore } from './open.js';

t.test('a node without S3 does not load what S3 needs', async (t) => {
  const { cache } = createRequire(import.meta.url);
  const ofS3 = () => Object.keys(cache).some((path) => path.includes('/node_modules/xml2js/'));
  await (await openObjectStore({ driver: 'folder', directory: t.testdir() })).close();
  t.notOk(ofS3());
  await (await openObjectStore({ driver: 's3', url: 'http://key:secret@127.0.0.1:1/bucket' })).close();
  t.ok(ofS3(), 'and it would show');
});
