/** Writes `results.json` and `report.html`. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Results } from '../harness/results.js';
import { toJson } from './format.js';
import { htmlReport } from './html.js';

/**
 * Makes the directory where it is missing. Each file is replaced as a whole, so that a run that ends meanwhile leaves the one before.
 * @throws Error that names the directory when nothing can be written there
 */
export function writeReport(results: Results, directory: string): void {
  // First the figures: a report can be drawn from them again, but not the other way.
  const json = toJson(results);
  try {
    mkdirSync(directory, { recursive: true });
    replace(join(directory, 'results.json'), json);
    replace(join(directory, 'report.html'), htmlReport(results));
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
