// @ts-check
/** Files of debtors, made up: every row is valid, and the accounts are of a bank that does not exist. */
import { fictitiousIban } from './iban.js';

const FIRST_NAMES = ['Anna', 'Ben', 'Clara', 'David', 'Emma', 'Felix', 'Greta', 'Hugo'];
const LAST_NAMES = ['Bauer', 'Fischer', 'Hoffmann', 'Koch', 'Meyer', 'Schmidt', 'Wagner', 'Weber'];

/**
 * @param {number} file tells the accounts of one file from those of another; a whole number from 0
 * @param {number} rows
 * @returns {string} CSV in ASCII, so that its length is its bytes
 */
export function debtorCsv(file, rows) {
  const lines = ['iban,amount,first_name,last_name,city,reference'];
  for (let row = 0; row < rows; row++) {
    const account = (file * rows + row) % 1000000000;
    lines.push(
      [
        fictitiousIban(account),
        `${10 + (row % 490)}.${10 + (row % 90)}`,
        FIRST_NAMES[row % FIRST_NAMES.length],
        LAST_NAMES[(row >> 3) % LAST_NAMES.length],
        'Musterstadt',
        `k6-${file}-${row}`,
      ].join(','),
    );
  }
  return `${lines.join('\n')}\n`;
}

/**
 * The body of a form with one file, as a browser sends it.
 * @param {string} content
 * @param {string} filename
 * @param {string} boundary
 */
export function formOf(content, filename, boundary) {
  return [
    `--${boundary}`,
    `Content-Disposition: form-data; name="file"; filename="${filename}"`,
    'Content-Type: text/csv',
    '',
    content,
    `--${boundary}--`,
    '',
  ].join('\r\n');
}
