/**
 * Upload-Metadata: pairs of a key and a value in base64. It is kept as it came and given back by HEAD, so it is read to the letter first:
 * nothing is in it then but visible ASCII, single spaces and commas.
 */
import { cleanFilename } from '../../../actors/upload/filename.js';
import { decodeBase64 } from './headers.js';
import { refused } from './protocol.js';

/** The whole head of a request is not much longer. */
export const METADATA_LENGTH_MAX = 4096;
export const METADATA_KEYS_MAX = 64;

const KEY = /^[\x21-\x2b\x2d-\x7e]+$/;

export interface Metadata {
  /** As it came; empty when there is none. */
  readonly text: string;
  /** Harmless. */
  readonly filename: string;
}

/** @throws RefusalError 400 */
export function readMetadata(header: string | undefined): Metadata {
  const text = header ?? '';
  const values = new Map<string, Buffer>();
  if (text.length > METADATA_LENGTH_MAX) throw invalid(`has at most ${METADATA_LENGTH_MAX} characters`);
  for (const pair of text === '' ? [] : text.split(',')) {
    const [key = '', encoded = '', ...more] = pair.trim().split(' ');
    const value = decodeBase64(encoded);
    if (!KEY.test(key) || value === undefined || more.length > 0) {
      throw invalid('is pairs with commas between: a key, a space and a value in base64');
    }
    if (values.has(key)) throw invalid('has each key once');
    if (values.size === METADATA_KEYS_MAX) throw invalid(`has at most ${METADATA_KEYS_MAX} keys`);
    values.set(key, value);
  }
  // The first is what the protocol's text has in its examples, the other what some clients send.
  const name = values.get('filename') ?? values.get('name');
  return { text, filename: cleanFilename(name?.toString('utf8') ?? '') };
}

function invalid(rule: string): ReturnType<typeof refused> {
  return refused('invalid-header', `Upload-Metadata ${rule}`);
}
