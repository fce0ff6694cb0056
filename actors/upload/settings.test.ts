import t from 'tap';
import { fillUploadSettings } from './settings.js';

const least = {
  databaseUrl: 'postgres://user:secret@host/db',
  objects: { driver: 'folder', directory: '/objects' },
};

t.test('what is left out has its default', async (t) => {
  t.strictSame(fillUploadSettings(least), {
    ...least,
    connectionsMax: 4,
    sliceMs: 20_000,
    batchRows: 20_000,
  });
  const s3 = { driver: 's3', url: 'http://key:secret@host/bucket' };
  t.match(fillUploadSettings({ ...least, objects: s3, sliceMs: 0 }), { objects: s3, sliceMs: 0 });
});

t.test('what is wrong is named, and no value is told', async (t) => {
  for (const [wrong, name] of [
    [{ ...least, databaseUrl: '' }, 'databaseUrl'],
    [{ ...least, objects: { driver: 's3', url: '' } }, 'objects.url'],
    [{ ...least, objects: { driver: 'tape', directory: 'secret' } }, 'objects.driver'],
    [{ ...least, batchRows: 50_001 }, 'batchRows'],
    [{ ...least, sliceMs: 120_001 }, 'sliceMs'],
    [{ ...least, unknown: 'secret' }, 'settings'],
    [undefined, 'settings'],
  ] as const) {
    t.throws(() => fillUploadSettings(wrong), { name: 'TypeError', message: new RegExp(`wrong: ${name}: `) });
    try {
      fillUploadSettings(wrong);
    } catch (error) {
      t.notMatch(String(error), /secret/);
    }
  }
});
