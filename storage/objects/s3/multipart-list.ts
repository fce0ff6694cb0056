/**
 * Asking an S3 server for its multiparts that are under way, a page at a time.
 *
 * Not by the client's own query: it always sends a delimiter, an empty one of which makes Swift leave out every multipart, and it loses the
 * marker of the next page.
 */
import { SaxesParser } from 'saxes';

interface MultipartPage {
  readonly uploads: readonly { readonly key: string; readonly multipart: string; readonly startedAt: Date }[];
  /** The query of the page behind it. */
  readonly next: string | undefined;
}

export function multipartQuery(keyMarker = '', idMarker = ''): string {
  const parameters = [['max-uploads', '1000']];
  if (keyMarker !== '') parameters.push(['key-marker', keyMarker]);
  if (idMarker !== '') parameters.push(['upload-id-marker', idMarker]);
  return ['uploads', ...parameters.map(([name, value]) => `${name}=${encodeURIComponent(value ?? '')}`)].join(
    '&',
  );
}

/** @throws Error when the text is no such page */
export function readMultipartPage(text: string): MultipartPage {
  const uploads: { key: string; multipart: string; startedAt: Date }[] = [];
  const path: string[] = [];
  let [upload, page]: Map<string, string>[] = [new Map(), new Map()];
  let value = '';
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name }) => {
    path.push(name);
    value = '';
    if (path.length === 2 && name === 'Upload') upload = new Map();
  });
  parser.on('text', (piece) => {
    value += piece;
  });
  parser.on('closetag', ({ name }) => {
    path.pop();
    if (path.length === 2 && path[1] === 'Upload') upload?.set(name, value);
    else if (path.length === 1) page?.set(name, value);
    if (path.length !== 1 || name !== 'Upload') return;
    const [key, multipart] = [upload?.get('Key'), upload?.get('UploadId')];
    const startedAt = new Date(upload?.get('Initiated') ?? '');
    if (key === undefined || multipart === undefined || Number.isNaN(startedAt.getTime())) return;
    uploads.push({ key, multipart, startedAt });
  });
  parser.write(text).close();
  const marker = page?.get('NextKeyMarker') ?? '';
  const more = page?.get('IsTruncated') === 'true' && marker !== '';
  return {
    uploads,
    next: more ? multipartQuery(marker, page?.get('NextUploadIdMarker')) : undefined,
  };
}
