/** Upload-Concat: whether an upload is a part of another one, or made of parts. */
import { isUuid } from '../../../storage/uuid.js';
import { refused, TUS_PATH } from './protocol.js';

/** More do not fit into the head of a request anyway. */
export const SOURCES_MAX = 100;

export type Concat =
  | { readonly kind: 'partial' }
  | {
      readonly kind: 'final';
      /** As it came, for HEAD. */
      readonly text: string;
      /** In order; one may be there more than once. */
      readonly sources: readonly string[];
    };

/** What a relative URL is relative to. */
const BASE = `http://localhost${TUS_PATH}`;

/**
 * Undefined: neither.
 * @throws RefusalError 400
 */
export function readConcat(header: string | undefined): Concat | undefined {
  if (header === undefined) return undefined;
  if (header === 'partial') return { kind: 'partial' };
  // It goes into a row and back into a header.
  if (!header.startsWith('final;') || !/^[\x20-\x7e]+$/.test(header)) {
    throw refused('invalid-header', 'Upload-Concat is partial, or final; and the URLs of the parts');
  }
  // A client or two put a space behind the semicolon.
  const urls = header.slice('final;'.length).trim().split(' ');
  if (urls.length > SOURCES_MAX)
    throw refused('invalid-header', `an upload has at most ${SOURCES_MAX} parts`);
  const sources = urls.map((url) => {
    const id = idOf(url);
    if (id === undefined) {
      throw refused('invalid-header', 'Upload-Concat names what is no upload of this service');
    }
    return id;
  });
  return { kind: 'final', text: header, sources };
}

/** Of an absolute or a relative URL. Another host's is none of ours to judge: proxies give this one other names, and paths in front. */
function idOf(url: string): string | undefined {
  if (!URL.canParse(url, BASE)) return undefined;
  const { pathname } = new URL(url, BASE);
  const id = pathname.slice(pathname.lastIndexOf('/') + 1);
  return isUuid(id) && pathname.endsWith(`${TUS_PATH}/${id}`) ? id.toLowerCase() : undefined;
}
