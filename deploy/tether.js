#!/usr/bin/env node
/**
 * What the command `tether` starts. It is no part of the build: npx links it once, and a link to a compiled file would be
 * broken before the first build and lose its permission to run with each further one.
 */
import { existsSync } from 'node:fs';

const cli = new URL('../dist/deploy/cli.js', import.meta.url);
if (existsSync(cli)) await import(cli.href);
else {
  process.stderr.write('tether: it is not built yet: run npm ci && npm run build\n');
  process.exitCode = 1;
}
