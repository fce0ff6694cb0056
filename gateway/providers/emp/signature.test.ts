import { createHash } from 'node:crypto';
import t from 'tap';
import { Signatures } from './signature.js';

function isSigned(id: string, signature: string, passwords: readonly string[]): boolean {
  const body = Buffer.from(`..${id}&${signature}..`);
  const idEnd = 2 + Buffer.byteLength(id);
  return new Signatures(passwords).isSigned(body, 2, idEnd, idEnd + 1, body.length - 2);
}

const sign = (algorithm: string, id: string, password: string) =>
  createHash(algorithm)
    .update(id + password, 'utf8')
    .digest('hex');

t.test('the published vectors', async (t) => {
  t.ok(isSigned('fc6c3c8c0219730c7a099eaa540f70dc', '08d01ae1ebdc22b6a1a764257819bb26e9e94e8d', ['bogus']));
  t.ok(isSigned('130319cfb3bf65ff3c4a4045487b173e', '1b34dabed996788efcc049567809484454ee8b17', ['test123']));
});

t.test('the length chooses the hash, the case does not matter', async (t) => {
  for (const algorithm of ['sha1', 'sha256', 'sha512']) {
    const signature = sign(algorithm, 'änderung', 'pass');
    t.ok(isSigned('änderung', signature, ['pass']), algorithm);
    t.ok(isSigned('änderung', signature.toUpperCase(), ['pass']), `${algorithm}, upper case`);
    t.notOk(isSigned('anderung', signature, ['pass']), `${algorithm}, another id`);
  }
  t.notOk(isSigned('id', sign('md5', 'id', 'pass'), ['pass']), 'no hash has 32 digits');
  t.notOk(isSigned('id', '', ['pass']));
});

t.test('any of several passwords will do', async (t) => {
  const passwords = ['first', 'second', 'third'];
  for (const password of passwords) t.ok(isSigned('id', sign('sha1', 'id', password), passwords), password);
  t.notOk(isSigned('id', sign('sha1', 'id', 'fourth'), passwords));
  t.notOk(isSigned('id', sign('sha1', 'id', 'first'), []));
});

t.test('each digit counts, and nothing but a digit passes for one', async (t) => {
  const signature = sign('sha1', 'id', 'pass');
  for (let i = 0; i < signature.length; i++) {
    const code = signature.charCodeAt(i);
    const others = [code ^ 1, code ^ 0x10, code & ~0x20, code | 0x80, code + 0x100, code + 0x1000];
    for (const other of others.filter((other) => other !== code)) {
      const sameDigit = String.fromCharCode(other).toLowerCase() === signature[i];
      const changed = signature.slice(0, i) + String.fromCharCode(other) + signature.slice(i + 1);
      if (isSigned('id', changed, ['pass']) !== sameDigit) t.fail(`digit ${i} as code ${other}`);
    }
  }
});
