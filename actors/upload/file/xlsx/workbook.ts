/** What a spreadsheet's parts are called and mean: which sheet is read, where its texts and formats are, from which day it counts. */
import { posix } from 'node:path';
import { FileError } from '../errors.js';
import type { Epoch, NumberKind } from './cell-text.js';
import { builtinKind, formatKind } from './cell-text.js';
import { malformed, readXml, type XmlHandler } from './xml.js';
import type { Budget, Zip } from './zip.js';

/** More relations, formats or styles than any program writes. */
const LIST_MAX = 100_000;

export interface Workbook {
  /** Parts of the package. */
  readonly sheet: string;
  readonly sharedStrings: string | undefined;
  readonly epoch: Epoch;
  /** By the number of a cell's style. */
  readonly kinds: readonly NumberKind[];
}

interface Relation {
  readonly id: string;
  /** The last word of its type: `worksheet`, `sharedStrings`. */
  readonly type: string;
  readonly part: string;
}

/** The first sheet that is not hidden. @throws FileError */
export async function readWorkbook(zip: Zip, budget: Budget): Promise<Workbook> {
  const roots = await readRelations(zip, budget, '');
  const root = roots.find(({ type }) => type === 'officeDocument')?.part ?? 'xl/workbook.xml';
  if (!zip.has(root)) throw new FileError('not-a-table', 'the file is a zip, but no spreadsheet');
  const relations = await readRelations(zip, budget, root);
  const handler = new WorkbookHandler();
  await readXml((await zip.part(root, budget)).chunks, handler);
  const sheet = relations.find(({ id, type }) => type === 'worksheet' && id === handler.sheetId);
  if (sheet === undefined)
    throw new FileError('not-a-table', 'the spreadsheet has no visible sheet of cells');
  const partOf = (wanted: string) =>
    relations.find(({ type, part }) => type === wanted && zip.has(part))?.part;
  const styles = partOf('styles');
  const kinds = styles === undefined ? [] : await readKinds(zip, budget, styles);
  return { sheet: sheet.part, sharedStrings: partOf('sharedStrings'), epoch: handler.epoch, kinds };
}

class WorkbookHandler implements XmlHandler {
  sheetId: string | undefined;
  epoch: Epoch = 1900;

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name === 'workbookPr') this.epoch = isTrue(attributes.date1904) ? 1904 : 1900;
    if (name !== 'sheet' || this.sheetId !== undefined) return;
    if ((attributes.state ?? 'visible') === 'visible') this.sheetId = relationId(attributes);
  }

  close(): void {}
  text(): void {}
}

const isTrue = (value: string | undefined) => value === '1' || value === 'true';

/** `r:id`, whatever the prefix is called. */
function relationId(attributes: Readonly<Record<string, string>>): string | undefined {
  const key = Object.keys(attributes).find((name) => name.endsWith(':id'));
  return key === undefined ? undefined : attributes[key];
}

/** Of a part, or with '' of the package. */
async function readRelations(zip: Zip, budget: Budget, part: string): Promise<readonly Relation[]> {
  const folder = posix.dirname(part);
  const name = posix.join(folder, '_rels', `${posix.basename(part)}.rels`);
  if (!zip.has(name)) return [];
  const relations: Relation[] = [];
  await readXml((await zip.part(name, budget)).chunks, {
    open(element, { Id, Type, Target, TargetMode }) {
      if (element !== 'Relationship' || TargetMode === 'External') return;
      if (Id === undefined || Type === undefined || Target === undefined) return;
      bounded(relations.length);
      // A target is absolute or relative to the part; names in a zip begin without a slash.
      const target = posix.resolve('/', folder, Target).slice(1);
      relations.push({ id: Id, type: Type.slice(Type.lastIndexOf('/') + 1), part: target });
    },
    close() {},
    text() {},
  });
  return relations;
}

async function readKinds(zip: Zip, budget: Budget, part: string): Promise<readonly NumberKind[]> {
  const handler = new StylesHandler();
  await readXml((await zip.part(part, budget)).chunks, handler);
  return handler.kinds;
}

/** A cell's style is a number into `<cellXfs>`, whose entries have the number of a format; formats of the file's own come first. */
class StylesHandler implements XmlHandler {
  readonly kinds: NumberKind[] = [];
  readonly #own = new Map<number, NumberKind>();
  #inCells = false;

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name === 'numFmt') {
      bounded(this.#own.size);
      this.#own.set(Number(attributes.numFmtId), formatKind((attributes.formatCode ?? '').slice(0, 255)));
    } else if (name === 'cellXfs') {
      this.#inCells = true;
    } else if (name === 'xf' && this.#inCells) {
      bounded(this.kinds.length);
      const id = Number(attributes.numFmtId ?? 0);
      this.kinds.push(this.#own.get(id) ?? builtinKind(id));
    }
  }

  close(name: string): void {
    if (name === 'cellXfs') this.#inCells = false;
  }

  text(): void {}
}

function bounded(length: number): void {
  if (length >= LIST_MAX) throw malformed('a list in it is too long');
}
