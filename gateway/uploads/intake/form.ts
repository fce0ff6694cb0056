/**
 * multipart/form-data (RFC 7578), read as a stream: one file, whose bytes are handed on as they come, and a few short fields.
 *
 * Everything has a limit: headers and fields in number and size, parts in number, and the body as a whole, so that a form
 * which hides gigabytes in front of its first part ends too.
 */
import { createHash } from 'node:crypto';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import type { Body } from './body.js';
import type { IntakeLimits } from './intake.js';
import { Refusal } from './refusal.js';

const FIELDS_MAX = 20;
const FIELD_BYTES_MAX = 1024;
const FIELD_NAME_LENGTH_MAX = 100;
const HEADERS_MAX = 16;
const HEADER_BYTES_MAX = 16 * 1024;
/** Of a body, beyond its file. */
export const OVERHEAD_BYTES_MAX = 1024 * 1024;

export interface Form {
  /** As the client gave it. */
  readonly filename: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
  /** Of the whole body, when it was asked for; hexadecimal. */
  readonly sha256: string | undefined;
}

/**
 * @param take resolves when there is room for more
 * @throws Refusal, IntakeAbortedError, what `take` throws
 */
export async function readForm(
  {
    contentType,
    limits,
    hashed = false,
  }: { readonly contentType: string; readonly limits: IntakeLimits; readonly hashed?: boolean },
  body: Body,
  take: (chunk: Uint8Array) => Promise<void>,
): Promise<Form> {
  const bytesMax = Math.max(limits.textBytesMax, limits.xlsxBytesMax) + OVERHEAD_BYTES_MAX;
  const parser = openParser(contentType);
  const fields = new Map<string, string>();
  let filename: string | undefined;
  let file: Promise<void> | undefined;
  // One flag and one waiter: a race with one promise for each chunk would keep something of each chunk to the end.
  let over: { readonly error: unknown } | undefined;
  let wake: () => void = () => {};
  const end = (error?: unknown) => {
    over ??= { error };
    wake();
  };
  const refuse = (detail: string) => end(new Refusal('malformed-form', detail));

  parser.on('file', (_, stream, given) => {
    filename = given as string | undefined;
    file = (async () => {
      for await (const chunk of stream) await take(chunk as Buffer);
    })();
    file.catch(end);
  });
  parser.on('field', (name: string | undefined, value, _, valueTruncated) => {
    if (name === undefined || name.length > FIELD_NAME_LENGTH_MAX)
      refuse('a field has no name, or a long one');
    else if (valueTruncated) refuse(`a field has at most ${FIELD_BYTES_MAX} bytes`);
    else fields.set(name, value);
  });
  parser.on('filesLimit', () => refuse('a form has one file'));
  parser.on('fieldsLimit', () => refuse(`a form has at most ${FIELDS_MAX} fields`));
  parser.on('partsLimit', () => refuse('a form has one file, and few fields'));
  parser.on('error', () => refuse('the form ends early, or cannot be read'));
  parser.on('finish', () => {
    if (file === undefined) refuse('the form has no file');
    else file.then(() => end(), end);
  });

  /** Resolves when `done` has been called, or the form is over. @throws what the form ended with */
  const during = async (work: (done: () => void) => void) => {
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (over === undefined) work(resolve);
      else resolve();
    });
    if (over?.error !== undefined) throw over.error;
  };
  const hash = hashed ? createHash('sha256') : undefined;
  let bytes = 0;
  try {
    for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) {
      const next = chunk;
      hash?.update(next);
      bytes += next.byteLength;
      if (bytes > bytesMax) throw new Refusal('too-large', `a form has at most ${bytesMax} bytes`);
      // The parser's answer comes when the file's reader has taken what there was for it.
      await during((done) => void parser.write(next, () => done()));
    }
    await during(() => parser.end());
  } finally {
    parser.destroy();
  }
  return { filename, fields: Object.fromEntries(fields), sha256: hash?.digest('hex') };
}

function openParser(contentType: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      // The name is cleaned later; only it knows what a directory is.
      preservePath: true,
      limits: {
        files: 1,
        fields: FIELDS_MAX,
        parts: FIELDS_MAX + 1,
        fieldSize: FIELD_BYTES_MAX,
        headerPairs: HEADERS_MAX,
        headerSize: HEADER_BYTES_MAX,
      },
    });
  } catch {
    throw new Refusal('malformed-form', 'the Content-Type has no boundary, or not one that a form can have');
  }
}
