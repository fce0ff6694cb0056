/**
 * Writes `.env.example` and the table of `docs/reference/configuration.md` anew. Run from the root after a build;
 * `npm run format` then aligns the table.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { configTable, envExample } from './config-text.js';

const REFERENCE = 'docs/reference/configuration.md';
const TABLE = /^\| key +\| default .*\n(?:\|.*\n)+/m;

writeFileSync('.env.example', envExample());
const page = readFileSync(REFERENCE, 'utf8');
if (!TABLE.test(page)) throw new Error(`${REFERENCE} has no table of keys to replace`);
writeFileSync(
  REFERENCE,
  page.replace(TABLE, () => configTable()),
);
