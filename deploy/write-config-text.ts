/**
 * Writes `.env.example`, the table of `docs/reference/configuration.md`, the schema of the endpoints file and both of HAProxy's files anew. Run from the root after a
 * build; `npm run format` then aligns the table and the schema.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { configTable, envExample } from './config-text.js';
import { endpointsJsonSchema } from './endpoints/schema.js';
import { haproxyConfig } from './haproxy/haproxy-config.js';
import { IN_CONTAINERS } from './haproxy/in-containers.js';
import { SEVERAL_MACHINES } from './haproxy/several-machines.js';

const REFERENCE = 'docs/reference/configuration.md';
const TABLE = /^\| key +\| default .*\n(?:\|.*\n)+/m;

writeFileSync('.env.example', envExample());
writeFileSync('docs/reference/endpoints.schema.json', JSON.stringify(endpointsJsonSchema()));
writeFileSync('deploy/haproxy/haproxy.cfg', haproxyConfig(SEVERAL_MACHINES));
writeFileSync('deploy/container/haproxy.cfg', haproxyConfig(IN_CONTAINERS));
const page = readFileSync(REFERENCE, 'utf8');
if (!TABLE.test(page)) throw new Error(`${REFERENCE} has no table of keys to replace`);
writeFileSync(
  REFERENCE,
  page.replace(TABLE, () => configTable()),
);
