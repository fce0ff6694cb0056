/** The one door to a file of rows: what it is, and a reader that can begin anywhere a piece ended. */
import { type UploadMediaType, XLSX_MEDIA_TYPE } from '../model.js';
import { describeText } from './describe-text.js';
import type { ByteSource, TableDescription, TableFile } from './table-file.js';
import { TextFile } from './text-file.js';
import { openXlsx } from './xlsx/xlsx-file.js';

/**
 * `saved`: what an earlier call found out about the same object; then nothing is read before the rows are.
 *
 * @throws FileError the file cannot be read; and what the source throws
 */
export async function openTable(
  source: ByteSource,
  mediaType: UploadMediaType,
  saved?: TableDescription,
): Promise<TableFile> {
  if (mediaType === XLSX_MEDIA_TYPE) return openXlsx(source, saved);
  const description = saved ?? (await describeText(source));
  if (description.format.kind !== 'text')
    throw new Error('the description is of a spreadsheet, the file is text');
  return new TextFile(source, description, description.format);
}
