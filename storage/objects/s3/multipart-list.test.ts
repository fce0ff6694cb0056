import t from 'tap';
import { multipartQuery, readMultipartPage } from './multipart-list.js';

const upload = (key: string, id: string, at = '2026-11-25T10:00:00.000Z') =>
  `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiator><ID>key</ID></Initiator><Initiated>${at}</Initiated></Upload>`;
const page = (inside: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inside}</ListMultipartUploadsResult>`;

t.test('a page, and the query of the next', async (t) => {
  const text = page(
    `<NextKeyMarker>b/&amp;</NextKeyMarker><NextUploadIdMarker>7+7</NextUploadIdMarker><IsTruncated>true</IsTruncated>${upload('a', '123456')}${upload('b', '1e5')}`,
  );
  const startedAt = new Date('2026-11-25T10:00:00.000Z');
  t.strictSame(readMultipartPage(text), {
    uploads: [
      { key: 'a', multipart: '123456', startedAt },
      { key: 'b', multipart: '1e5', startedAt },
    ],
    next: 'uploads&max-uploads=1000&key-marker=b%2F%26&upload-id-marker=7%2B7',
  });
  t.equal(multipartQuery(), 'uploads&max-uploads=1000');
});

t.test('the last page, an empty one, and none', async (t) => {
  t.strictSame(readMultipartPage(page('<IsTruncated>false</IsTruncated>')), { uploads: [], next: undefined });
  t.strictSame(
    readMultipartPage(page('<IsTruncated>true</IsTruncated><NextKeyMarker></NextKeyMarker>')),
    { uploads: [], next: undefined },
    'it would be asked for for ever',
  );
  t.strictSame(readMultipartPage(page(upload('a', 'x', 'never'))).uploads, []);
  for (const text of ['', 'no XML', '<a><b></a>']) t.throws(() => readMultipartPage(text), text);
});
