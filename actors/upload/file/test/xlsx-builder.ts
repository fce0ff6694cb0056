/** Makes zips and spreadsheets for tests, honest ones and others. */
import { crc32, deflateRawSync } from 'node:zlib';

/** A part of a zip, and what its headers claim when that is not the truth. */
export interface ZipPart {
  readonly name: string;
  readonly data: string | Buffer;
  readonly stored?: boolean;
  readonly claims?: {
    readonly bytes?: number;
    readonly crc32?: number;
    readonly flags?: number;
    readonly method?: number;
    readonly packedBytes?: number;
    readonly offset?: number;
  };
  /** Already deflated: `data` is what it unpacks to, of which only checksum and length are taken. */
  readonly packed?: Buffer;
}

export function zipOf(parts: readonly ZipPart[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, stored = false, claims = {}, packed } of parts) {
    const bytes = Buffer.from(data as string);
    const body = packed ?? (stored ? bytes : deflateRawSync(bytes));
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(claims.flags ?? 0x800, 2);
    fields.writeUInt16LE(claims.method ?? (stored ? 0 : 8), 4);
    fields.writeUInt32LE(claims.crc32 ?? crc32(bytes), 10);
    fields.writeUInt32LE(claims.packedBytes ?? body.length, 14);
    fields.writeUInt32LE(claims.bytes ?? bytes.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), body]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(claims.offset ?? offset, 10);
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, rest, Buffer.from(name)]),
    );
    files.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(parts.length, 4);
  end.writeUInt16LE(parts.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, central, Buffer.from('PK\x05\x06'), end]);
}

interface Sheet {
  readonly name: string;
  /** The inside of `<sheetData>`. */
  readonly rows: string;
  readonly state?: 'hidden' | 'veryHidden';
}

interface Book {
  readonly sheets: readonly Sheet[];
  /** The inside of `<sst>`. */
  readonly strings?: string;
  /** The inside of `<styleSheet>`. */
  readonly styles?: string;
  readonly date1904?: boolean;
  /** Instead of, or beside, the parts that the book has. */
  readonly parts?: readonly ZipPart[];
  readonly stored?: boolean;
}

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006/relationships';
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

export const sheetXml = (rows: string): string =>
  `${HEAD}<worksheet xmlns="${MAIN}"><dimension ref="A1"/><sheetData>${rows}</sheetData><pageMargins left="1"/></worksheet>`;

export function partsOf(book: Book): ZipPart[] {
  const relation = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${RELATIONS}/${type}" Target="${target}"/>`;
  const sheets = book.sheets.map(
    ({ name, state }, i) =>
      `<sheet name="${name}" sheetId="${i + 1}"${state === undefined ? '' : ` state="${state}"`} r:id="rId${i + 1}"/>`,
  );
  const relations = book.sheets.map((_, i) =>
    relation(`rId${i + 1}`, 'worksheet', `worksheets/sheet${i + 1}.xml`),
  );
  if (book.strings !== undefined) relations.push(relation('rIdS', 'sharedStrings', '/xl/sharedStrings.xml'));
  if (book.styles !== undefined) relations.push(relation('rIdT', 'styles', 'styles.xml'));
  const parts: ZipPart[] = [
    { name: '[Content_Types].xml', data: `${HEAD}<Types/>` },
    {
      name: '_rels/.rels',
      data: `${HEAD}<Relationships xmlns="${PACKAGE}">${relation('rId1', 'officeDocument', 'xl/workbook.xml')}</Relationships>`,
    },
    {
      name: 'xl/workbook.xml',
      data: `${HEAD}<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><workbookPr${book.date1904 ? ' date1904="1"' : ''}/><sheets>${sheets.join('')}</sheets></workbook>`,
    },
    {
      name: 'xl/_rels/workbook.xml.rels',
      data: `${HEAD}<Relationships xmlns="${PACKAGE}">${relations.join('')}</Relationships>`,
    },
    ...book.sheets.map(({ rows }, i) => ({ name: `xl/worksheets/sheet${i + 1}.xml`, data: sheetXml(rows) })),
  ];
  if (book.strings !== undefined) {
    parts.push({ name: 'xl/sharedStrings.xml', data: `${HEAD}<sst xmlns="${MAIN}">${book.strings}</sst>` });
  }
  if (book.styles !== undefined) {
    parts.push({
      name: 'xl/styles.xml',
      data: `${HEAD}<styleSheet xmlns="${MAIN}">${book.styles}</styleSheet>`,
    });
  }
  const replaced = new Map((book.parts ?? []).map((part) => [part.name, part]));
  const all = parts.map((part) => replaced.get(part.name) ?? part);
  for (const part of book.parts ?? []) if (!all.includes(part)) all.push(part);
  return book.stored === true ? all.map((part) => ({ ...part, stored: true })) : all;
}

export const xlsxOf = (book: Book): Buffer => zipOf(partsOf(book));

/** Rows of text, as inline strings. */
export function textRows(rows: readonly (readonly string[])[]): string {
  const escaped = (text: string) =>
    text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`).replace(/\r/g, '_x000D_');
  return rows
    .map(
      (cells) =>
        `<row>${cells.map((text) => `<c t="inlineStr"><is><t>${escaped(text)}</t></is></c>`).join('')}</row>`,
    )
    .join('');
}
