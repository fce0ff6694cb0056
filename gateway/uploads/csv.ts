/**
 * CSV (RFC 4180) that people open in a spreadsheet.
 *
 * A spreadsheet runs a cell as a formula when it begins with `=`, `+`, `-` or `@`, in their full-width forms too, also after a tab or
 * line break: such a cell gets an apostrophe in front, which makes it text. So does one with white space before them, which some
 * spreadsheets take off. A value of the file may look so, and the person who opens the list is not who wrote it.
 */

const FORMULA = /^[\s\u00a0\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/;
const TO_QUOTE = /[",\r\n]|^\s|\s$/;

/** With its line break. */
export function csvRow(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

export function csvCell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return TO_QUOTE.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
