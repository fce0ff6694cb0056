/** Files and forms for tests. */
import { createHash } from 'node:crypto';

export const CSV = 'iban;amount;name\nDE02120300000000202051;1,00;Made Up\n';

/** What begins as a picture. */
export const PNG = Buffer.concat([
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
  Buffer.alloc(5_000, 7),
]);

export const sha256Of = (bytes: string | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

const BOUNDARY = '----tether-7MA4YWxkTrZu0gW';
export const FORM_TYPE = `Content-Type: multipart/form-data; boundary=${BOUNDARY}`;

/** One file; latin1, as the raw client writes strings. */
export function formOf(content: string, filename: string): string {
  return [
    `--${BOUNDARY}`,
    `Content-Disposition: form-data; name="file"; filename="${filename}"`,
    'Content-Type: text/csv',
    '',
    content,
    `--${BOUNDARY}--`,
    '',
  ].join('\r\n');
}
