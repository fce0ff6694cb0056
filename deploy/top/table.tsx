/** A table of text that never breaks a line: where the screen is too narrow, the columns that matter least stay away. */
import { Text } from 'ink';
import type { ReactElement } from 'react';
import { fit } from './format.js';
import type { Theme } from './theme.js';

interface Column<Row> {
  readonly head: string;
  readonly width: number;
  readonly align: 'left' | 'right';
  /** The smaller, the longer it stays. */
  readonly rank: number;
  text(row: Row): string;
}

interface TableProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly width: number;
  readonly theme: Theme;
  /** Lines in all, the head included. */
  readonly lines: number;
  keyOf(row: Row): string;
  isSelected?(row: Row): boolean;
  isBad?(row: Row): boolean;
}

const GAP = 1;
/** Before each row: `>` marks the one that is selected, `!` one with something the matter. */
const MARK = 2;

function Table<Row>(props: TableProps<Row>): ReactElement {
  const { rows, width, theme, lines, keyOf, isSelected, isBad } = props;
  const columns = fitting(props.columns, width - MARK);
  const line = (cells: readonly string[]) =>
    columns.map(({ width, align }, i) => fit(cells[i] ?? '', width, align, theme.glyphs)).join(' ');
  return (
    <>
      <Text {...theme.head} wrap="truncate">
        {`  ${line(columns.map(({ head }) => head))}`.padEnd(width)}
      </Text>
      {rows.slice(0, Math.max(0, lines - 1)).map((row) => {
        const selected = isSelected?.(row) === true;
        const bad = isBad?.(row) === true;
        const text = `${selected ? '>' : ' '}${bad ? '!' : ' '}${line(columns.map((column) => column.text(row)))}`;
        const style = selected ? theme.selected : bad ? theme.warning : theme.plain;
        return (
          <Text key={keyOf(row)} {...style} wrap="truncate">
            {selected ? text.padEnd(width) : text}
          </Text>
        );
      })}
    </>
  );
}

/** Those that have room, in their own order. */
function fitting<Row>(columns: readonly Column<Row>[], width: number): readonly Column<Row>[] {
  const kept = new Set<Column<Row>>();
  let left = width + GAP;
  for (const column of [...columns].sort((a, b) => a.rank - b.rank)) {
    if (column.width + GAP > left) break;
    left -= column.width + GAP;
    kept.add(column);
  }
  return columns.filter((column) => kept.has(column));
}

export { type Column, Table };
