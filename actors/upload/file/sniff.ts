/**
 * What a file is, by its first bytes and not by its name: text, a spreadsheet, or neither.
 *
 * The short signatures of old formats are also words (`BM`, `MZ`, `GIF`): they count only when something in the bytes is no text. A zip
 * that cannot be told from its first bytes is taken for a spreadsheet, and its reader refuses it.
 */
import { fileTypeFromBuffer } from 'file-type';
import { TEXT_MEDIA_TYPE, type UploadMediaType, XLSX_MEDIA_TYPE } from '../model.js';
import { byteOrderMark, type Units, unitBytes, unitsOf } from './encoding.js';

/** What is enough to tell, in practice; a longer sample is cut. */
const SNIFF_BYTES = 4_100;

type Sniffed =
  | { readonly is: 'table'; readonly mediaType: UploadMediaType }
  /** `detail` completes "refused: ". */
  | { readonly is: 'refused'; readonly detail: string };

/** Formats that are text themselves; their signatures are long enough to be meant. */
const TEXTUAL = new Set([
  'application/pdf',
  'application/postscript',
  'application/eps',
  'application/rtf',
  'application/xml',
  'application/x-mobipocket-ebook',
  'text/calendar',
  'text/vcard',
  'text/vtt',
]);
const MARKUP = /^\s*<(?:!doctype|!--|\?xml|html|head|body|table|svg|script)\b/i;
/** Tab, LF, VT, FF, CR; and the mark with which old systems end a text. */
const CONTROLS_OF_TEXT = new Set([0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1a]);
/** One in so many characters may be a control character. */
const CONTROLS_RARE = 100;
const XLSX_HINT = ': an old Excel file, or one with a password; save it as .xlsx without';

/** `first`: as much of the file's beginning as is there, 4,100 bytes when it has them. */
export async function sniff(first: Uint8Array): Promise<Sniffed> {
  const sample = Buffer.from(first.subarray(0, SNIFF_BYTES));
  if (sample.length === 0) return refused('it is empty');
  const controls = textControls(sample);
  // UTF-16's mark is also how an mp3 may begin: with a mark it is text or nothing.
  const type = byteOrderMark(sample) === undefined ? await typeOf(sample) : undefined;
  if (controls === 0) {
    if (type !== undefined && TEXTUAL.has(type)) return contentIs(type);
    if (MARKUP.test(sample.toString('latin1').replace(/^ï»¿/, '').replaceAll('\0', ''))) {
      return contentIs('text/html or XML');
    }
    return { is: 'table', mediaType: TEXT_MEDIA_TYPE };
  }
  if (isZip(sample) && (type === undefined || type === 'application/zip' || type === XLSX_MEDIA_TYPE)) {
    return { is: 'table', mediaType: XLSX_MEDIA_TYPE };
  }
  if (type === 'application/x-cfb') return refused(`its content is ${type}${XLSX_HINT}`);
  if (type !== undefined) return contentIs(type);
  if (controls === undefined) return refused('its content is neither text nor a spreadsheet');
  return { is: 'table', mediaType: TEXT_MEDIA_TYPE };
}

const refused = (detail: string): Sniffed => ({ is: 'refused', detail });
const contentIs = (type: string): Sniffed => refused(`its content is ${type}`);

async function typeOf(sample: Uint8Array): Promise<string | undefined> {
  try {
    return (await fileTypeFromBuffer(sample))?.mime;
  } catch {
    // A format that begins well and is broken behind: not known, which is an answer.
    return undefined;
  }
}

function isZip(sample: Buffer): boolean {
  return sample.length >= 4 && sample.readUInt32LE(0) === 0x04034b50;
}

/** How many control characters that texts do not have; undefined when it is no text: a NUL, half a surrogate pair, too many of them. */
function textControls(sample: Buffer): number | undefined {
  const mark = byteOrderMark(sample);
  const encoding = mark?.encoding ?? 'utf-8';
  const text = sample.subarray(mark?.bytes ?? 0);
  const whole = text.subarray(0, text.length - (text.length % unitBytes(encoding)));
  const units = unitsOf(whole, encoding);
  let controls = 0;
  for (let i = 0; i < units.length; i++) {
    const unit = units[i] ?? 0;
    if (unit === 0) return undefined;
    if ((unit < 0x20 && !CONTROLS_OF_TEXT.has(unit)) || unit === 0x7f) controls++;
    if (unit >= 0xd800 && unit < 0xe000 && !isPaired(units, i)) return undefined;
  }
  return controls * CONTROLS_RARE > units.length ? undefined : controls;
}

function isPaired(units: Units, index: number): boolean {
  const high = (unit: number | undefined) => unit !== undefined && unit >= 0xd800 && unit < 0xdc00;
  if (!high(units[index])) return high(units[index - 1]);
  const next = units[index + 1];
  return next === undefined || (next >= 0xdc00 && next < 0xe000);
}
