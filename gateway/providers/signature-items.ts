/**
 * Headers that are a list of named values, as senders write several signatures at once: `t=1492774577,v1=5257…,v1=6ffb…`, or
 * `v1,g0hM… v1a,hnO3…`.
 */

export interface ItemForm {
  /** Between two items. */
  readonly separator: ',' | ' ';
  /** Between the name of an item and its value. */
  readonly assign: '=' | ',';
}

export interface Item {
  readonly name: string;
  readonly value: string;
}

/** A sender that changes its secret signs with two; what is behind is not looked at. */
export const ITEMS_MAX = 16;

/** The first `ITEMS_MAX` items, in order, without what has no name. */
export function itemsOf(header: string, { separator, assign }: ItemForm): readonly Item[] {
  const items: Item[] = [];
  let start = 0;
  while (start < header.length && items.length < ITEMS_MAX) {
    const found = header.indexOf(separator, start);
    const end = found === -1 ? header.length : found;
    const item = header.slice(start, end).trim();
    const at = item.indexOf(assign);
    if (at > 0) items.push({ name: item.slice(0, at), value: item.slice(at + 1) });
    start = end + 1;
  }
  return items;
}

/** The values of the items of a name. */
export function valuesOf(items: readonly Item[], name: string): readonly string[] {
  return items.filter((item) => item.name === name).map(({ value }) => value);
}
