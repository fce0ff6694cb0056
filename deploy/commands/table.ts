/** Text for a terminal: tables, times, and nothing in them that a terminal would obey. */

/** What others have written may hold anything; a terminal gets no control characters of it. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

/** A last column that is cut shorter says nothing. */
const LAST_LENGTH_MIN = 24;

/** `columns`: the width that the last column is cut to; without it nothing is cut. */
function textTable(
  head: readonly string[],
  cells: readonly (readonly string[])[],
  columns: number = Number.POSITIVE_INFINITY,
): string {
  const rows = cells.map((row) => row.map(printable));
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const lastMax = Math.max(columns - before, LAST_LENGTH_MIN);
  const cut = (cell: string) => (cell.length > lastMax ? `${cell.slice(0, lastMax - 3)}...` : cell);
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cut(cell) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return `${[head, ...rows].map(line).join('\n')}\n`;
}

/** Undefined without a terminal, and with one that does not tell: such a one says 0. */
function columnsOf(stream: NodeJS.WriteStream): number | undefined {
  return stream.isTTY && stream.columns > 0 ? stream.columns : undefined;
}

export { columnsOf, printable, textTable };
