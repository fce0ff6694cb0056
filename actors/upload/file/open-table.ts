/** The one door to a file of rows: what it is, and a reader that can begin anywhere a piece ended. */
import { TEXT_MEDIA_TYPE, type UploadMediaType } from '../model.js';
import { describeText } from './describe-text.js';
import type { ByteSource, TableDescription, TableFile } from './table-file.js';
import { TextFile } from './text-file.js';

/**
 * `saved`: what an earlier call found out about the same object; then nothing is read here.
 *
 * @throws FileError the file cannot be read
 */
export async function openTable(
  source: ByteSource,
  mediaType: UploadMediaType,
  saved?: TableDescription,
): Promise<TableFile> {
  if (mediaType !== TEXT_MEDIA_TYPE) throw new Error('not yet');
  const description = saved ?? (await describeText(source));
  if (description.format.kind !== 'text') throw new Error('not yet');
  return new TextFile(source, description, description.format);
}
