/**
 * Writes `.env.example`, the table of `docs/reference/configuration.md`, the schema of the endpoints file and `deploy/haproxy/haproxy.cfg` anew. Run from the root after a
 * build; `npm run format` then aligns the table and the schema.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { configTable, envExample } from './config-text.js';
import { endpointsJsonSchema } from './endpoints/schema.js';
import { haproxyConfig } from './haproxy/haproxy-config.js';
import { SEVERAL_MACHINES } from './haproxy/several-machines.js';

const REFERENCE = 'docs/reference/configuration.md';
const TABLE = /^\| key +\| default .*\n(?:\|.*\n)+/m;

writeFileSync('.env.example', envExample());
writeFileSync('docs/reference/endpoints.schema.json', JSON.stringify(endpointsJsonSchema()));
writeFileSync('deploy/haproxy/haproxy.cfg', haproxyConfig(SEVERAL_MACHINES));
const page = readFileSync(REFERENCE, 'utf8');
if (!TABLE.test(page)) throw new Error(`${REFERENCE} has no table of keys to replace`);
writeFileSync(
  REFERENCE,
  page.replace(TABLE, () => configTable()),
);
