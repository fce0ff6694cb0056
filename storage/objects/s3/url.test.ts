import t from 'tap';
import { openObjectStore } from '../open.js';
import { parseS3Url } from './url.js';

t.test('a URL with everything, and one with the least', async (t) => {
  t.strictSame(
    parseS3Url(
      'http://k%3Ay:s%2F%23cret@[::1]:9000/my.bucket/some/where/?region=eu-central-1&path-style=false',
    ),
    {
      location: {
        secure: false,
        host: '::1',
        port: 9000,
        accessKey: 'k:y',
        secretKey: 's/#cret',
        bucket: 'my.bucket',
        prefix: 'some/where/',
        region: 'eu-central-1',
        pathStyle: false,
      },
    },
  );
  t.strictSame(parseS3Url('https://key:secret@s3.example/bucket'), {
    location: {
      secure: true,
      host: 's3.example',
      port: 443,
      accessKey: 'key',
      secretKey: 'secret',
      bucket: 'bucket',
      prefix: '',
      region: 'us-east-1',
      pathStyle: true,
    },
  });
});

t.test('what is wrong is said, and nothing of it quoted', async (t) => {
  const wrong: readonly [string, RegExp][] = [
    ['', /no URL/],
    ['key:hunter2@host/bucket', /neither http/],
    ['s3://key:hunter2@host/bucket', /neither http/],
    ['https://host/bucket', /no access key/],
    ['https://key@host/bucket', /no access key/],
    ['https://:hunter2@host/bucket', /no access key/],
    ['https://key:hunter2%@host/bucket', /%/],
    ['https://key:hunter2/x@host/bucket', /no URL/],
    ['https://key:hunter2@host/bucket#hunter2', /%23/],
    ['https://key:hunter2@host', /bucket/],
    ['https://key:hunter2@host/B', /bucket/],
    ['https://key:hunter2@host/hunter2_x/', /bucket/],
    ['https://key:hunter2@host/a..b', /bucket/],
    ['https://key:hunter2@host/bucket/.hunter2', /prefix/],
    ['https://key:hunter2@host/bucket/a//b', /prefix/],
    [`https://key:hunter2@host/bucket/${'a'.repeat(101)}`, /prefix/],
    ['https://key:hunter2@host/bucket?hunter2=1', /region and path-style/],
    ['https://key:hunter2@host/bucket?region=a&region=b', /once/],
    ['https://key:hunter2@host/bucket?region=hunter2!', /region/],
    ['https://key:hunter2@host/bucket?path-style=hunter2', /path-style/],
  ];
  for (const [url, problem] of wrong) {
    const result = parseS3Url(url);
    t.match(result.problem, problem, url);
    await t.rejects(openObjectStore({ driver: 's3', url }), {
      code: 'TETHER_OBJECTS_SETTINGS',
      message: problem,
    });
    t.notMatch(result.problem, /hunter2/);
  }
  await t.rejects(openObjectStore({ driver: 'folder', directory: '' }), { code: 'TETHER_OBJECTS_SETTINGS' });
});
