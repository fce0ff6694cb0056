/**
 * One of the two that are compared: compiled sources, head's or base's. Drivers are head's for both; what they drive comes from here.
 * So a module of base has the type of head's, which is a claim: what does not fit fails in the driver, and is not compared.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type SideName = 'base' | 'head';

export interface Side {
  readonly name: SideName;
  /** URL of its compiled sources, with a slash at its end. */
  readonly dist: string;
}

/** There is no such module on that side. */
export class NotThereError extends Error {}

/** URL of a module, `runtime/frame.js` as an example. @throws NotThereError */
export function moduleOf(side: Side, path: string): URL {
  const url = new URL(path, side.dist);
  if (!existsSync(fileURLToPath(url))) throw new NotThereError(`not in ${side.name}: ${path}`);
  return url;
}

/** The exports of a module. @throws NotThereError (rejects) */
export async function load(side: Side, path: string): Promise<unknown> {
  return import(moduleOf(side, path).href);
}
