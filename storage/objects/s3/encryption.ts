/**
 * Encryption at rest that the store is asked for (SSE): `AES256`, with keys of the store's own, `aws:kms`, with the default key of its key
 * management, or `aws:kms:<key id>`, with that one.
 *
 * It is asked for with what makes an object: a PUT, and the beginning of a multipart, for all of its parts. A store that cannot do it
 * refuses, and it does so at the start, where one object is put on trial.
 */

const ALGORITHM = 'x-amz-server-side-encryption';
const KEY_ID = 'x-amz-server-side-encryption-aws-kms-key-id';
const KMS = 'aws:kms';
/** An id, an alias or an ARN. */
const KEY = /^[\w:/+=,.@-]{1,256}$/;

export function isS3Encryption(text: string): boolean {
  if (text === 'AES256' || text === KMS) return true;
  return text.startsWith(`${KMS}:`) && KEY.test(text.slice(KMS.length + 1));
}

/** @param text what `isS3Encryption` takes, or undefined: none is asked for */
export function encryptionHeaders(text: string | undefined): Readonly<Record<string, string>> {
  if (text === undefined) return {};
  if (!text.startsWith(`${KMS}:`)) return { [ALGORITHM]: text };
  return { [ALGORITHM]: KMS, [KEY_ID]: text.slice(KMS.length + 1) };
}
