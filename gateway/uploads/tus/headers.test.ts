import { createHash } from 'node:crypto';
import t from 'tap';
import {
  checkMediaType,
  checkVersion,
  hasBody,
  methodOf,
  readChecksum,
  readLength,
  readLengthOrDeferral,
  readOffset,
} from './headers.js';

const headers = (given: Readonly<Record<string, string>>) => new Map(Object.entries(given));
const LIMITS = { textBytesMax: 1000, xlsxBytesMax: 100 };
const answers = (status: RegExp) => ({ code: 'TETHER_REQUEST_REFUSED', answer: { status } });

t.test('an offset is a whole number', async (t) => {
  t.equal(readOffset(headers({ 'upload-offset': '0' })), 0);
  t.equal(readOffset(headers({ 'upload-offset': '9007199254740991' })), Number.MAX_SAFE_INTEGER);
  for (const wrong of ['', '-1', '+1', '1.5', '1e3', '0x10', ' 1', 'NaN', 'Infinity', '1,2', '٣']) {
    t.throws(() => readOffset(headers({ 'upload-offset': wrong })), answers(/^400 /), wrong);
  }
  t.throws(() => readOffset(headers({})), answers(/^400 /), 'not there');
});

t.test('a length has a limit, however many digits it has', async (t) => {
  t.equal(readLength(headers({}), LIMITS), undefined);
  t.equal(readLength(headers({ 'upload-length': '1000' }), LIMITS), 1000, 'that of the larger kind');
  for (const wrong of ['1001', '9007199254740993', '9'.repeat(1000)]) {
    t.throws(() => readLength(headers({ 'upload-length': wrong }), LIMITS), answers(/^413 /), wrong);
  }
  t.throws(() => readLength(headers({ 'upload-length': '-1' }), LIMITS), answers(/^400 /));
});

t.test('a new upload has a length or says that it comes later', async (t) => {
  const read = (given: Readonly<Record<string, string>>) => readLengthOrDeferral(headers(given), LIMITS);
  t.equal(read({ 'upload-length': '7' }), 7);
  t.equal(read({ 'upload-defer-length': '1' }), undefined);
  t.throws(() => read({}), answers(/^400 /), 'neither');
  t.throws(() => read({ 'upload-length': '7', 'upload-defer-length': '1' }), answers(/^400 /), 'both');
  for (const wrong of ['0', '2', '', 'true', '01']) {
    t.throws(() => read({ 'upload-defer-length': wrong }), answers(/^400 /), `deferral ${wrong}`);
  }
});

t.test('a checksum is a known algorithm and a digest of its length', async (t) => {
  for (const algorithm of ['sha1', 'sha256', 'md5'] as const) {
    const digest = createHash(algorithm).update('a,b\n').digest();
    t.strictSame(readChecksum(headers({ 'upload-checksum': `${algorithm} ${digest.toString('base64')}` })), {
      algorithm,
      digest: digest.toString('hex'),
    });
  }
  t.equal(readChecksum(headers({})), undefined);
  const sha1 = createHash('sha1').digest('base64');
  const wrong = [
    '',
    'sha1',
    `sha1 ${sha1.slice(0, -1)}`,
    `sha1 ${sha1} `,
    `sha1  ${sha1}`,
    `SHA1 ${sha1}`,
    `crc32 ${sha1}`,
    `sha256 ${sha1}`,
    `constructor ${sha1}`,
    `sha1 ${sha1.replace('=', '!')}`,
  ];
  for (const each of wrong) {
    t.throws(() => readChecksum(headers({ 'upload-checksum': each })), answers(/^400 /), each);
  }
});

t.test('version, media type, method and body', async (t) => {
  checkVersion(headers({ 'tus-resumable': '1.0.0' }));
  for (const wrong of [{}, { 'tus-resumable': '0.2.2' }, { 'tus-resumable': '1.0' }]) {
    t.throws(() => checkVersion(headers(wrong)), answers(/^412 /), JSON.stringify(wrong));
  }
  checkMediaType(headers({ 'content-type': 'Application/Offset+Octet-Stream; x=y' }));
  for (const wrong of ['', 'application/octet-stream', 'application/offset+octet-streams']) {
    t.throws(() => checkMediaType(headers({ 'content-type': wrong })), answers(/^415 /), wrong);
  }
  const head = { method: 'post', path: '', query: '', parameters: [] };
  t.equal(methodOf({ ...head, headers: headers({}) }), 'post');
  t.equal(methodOf({ ...head, headers: headers({ 'x-http-method-override': 'PATCH' }) }), 'patch');
  t.equal(hasBody(headers({ 'content-length': '0' })), false);
  t.equal(hasBody(headers({ 'content-length': '1' })), true);
  t.equal(hasBody(headers({ 'transfer-encoding': 'chunked' })), true);
});
