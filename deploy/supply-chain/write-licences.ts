/** `npm run licences`: writes the page of licences anew, and fails when one of them is not allowed. Run from the root after a build. */
import { writeFileSync } from 'node:fs';
import { licencePage, refusedLicences, shippedLicences } from './licences.js';

const licences = await shippedLicences();
const refused = refusedLicences(new Map([...licences.installed, ...licences.bundled]));
for (const line of refused) process.stderr.write(`${line}\n`);
if (refused.length > 0) process.exitCode = 1;
else writeFileSync('docs/reference/licences.md', licencePage(licences));
