/** The composition root: builds a node out of its parts and runs it until it is told to stop. */
import type { Config, Mode } from './config.js';

export async function runNode(_config: Config, _options: { readonly mode: Mode }): Promise<number> {
  throw new Error('being written');
}
