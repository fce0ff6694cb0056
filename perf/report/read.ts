/** Reads a `results.json` back, to show it anew. */
import { readFileSync } from 'node:fs';
import type { Results } from '../harness/results.js';
import { fromJson } from './format.js';

/** @throws Error that names the file, and where in it something is wrong */
export function readResults(file: string): Results {
  try {
    return fromJson(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${file} is no results.json of the laboratory: ${reason}`, { cause: error });
  }
}
