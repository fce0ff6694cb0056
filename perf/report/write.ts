/** Writes `results.json` and `report.html`. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeDirectory } from '../../storage/make-directory.js';
import type { Results } from '../harness/results.js';
import { toJson } from './format.js';
import { htmlReport } from './html.js';

/**
 * Makes the directory where it is missing. Each file is replaced as a whole, so that a run that ends meanwhile leaves the one before.
 * @throws Error (rejects) that names the directory when nothing can be written there
 */
export async function writeReport(results: Results, directory: string): Promise<void> {
  // First the figures: a report can be drawn from them again, but not the other way.
  const json = toJson(results);
  const html = htmlReport(results);
  await inDirectory(directory, () => {
    replace(join(directory, 'results.json'), json);
    replace(join(directory, 'report.html'), html);
  });
}

/** Before an hour of measuring. @throws Error (rejects) that names the directory when nothing can be written there */
export async function checkWritable(directory: string): Promise<void> {
  const probe = join(directory, `.probe-${process.pid}`);
  await inDirectory(directory, () => {
    writeFileSync(probe, '');
    rmSync(probe);
  });
}

async function inDirectory(directory: string, work: () => void): Promise<void> {
  try {
    await makeDirectory(resolve(directory), 0o755);
    work();
  } catch (error) {
    const isOfFiles = error instanceof Error && 'syscall' in error;
    if (!isOfFiles) throw error;
    throw new Error(
      `cannot write the report to ${directory} (${error.message}): name a directory that can be written to with --out`,
      { cause: error },
    );
  }
}

function replace(file: string, text: string): void {
  const part = `${file}.part`;
  writeFileSync(part, text);
  renameSync(part, file);
}
