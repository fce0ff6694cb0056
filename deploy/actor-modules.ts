/**
 * A user's own actors: the modules that `TETHER_ACTORS` names, found and tried before anything starts, so that a broken one stops
 * the start with its file and the reason.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ActorModuleError } from '../runtime/errors.js';
import { loadActor } from '../runtime/module.js';
import type { Group } from '../runtime/partition.js';
import { ConfigError } from './errors.js';

interface ActorModule {
  readonly type: string;
  /** URL. */
  readonly module: string;
  /** How it groups its keys; undefined when it does not. */
  readonly group: Group | undefined;
}

/** Of the actors that come with Tether. */
const OWN_TYPES: readonly string[] = ['payment', 'upload', 'webhook', 'forward', 'archive', 'replay'];
/** Of these, those that know what an endpoint's messages are. */
const ENDPOINT_TYPES: readonly string[] = ['payment'];
const FILES_MAX = 100;
/** A module may wait for something while it loads; a node does not wait for ever. */
const LOAD_MS_MAX = 10_000;

/**
 * @param patterns absolute paths; `*` in the last part stands for any characters
 * @throws ConfigError with a problem for each pattern without a file and each file without an actor
 */
async function findActors(patterns: readonly string[]): Promise<readonly ActorModule[]> {
  const problems: string[] = [];
  const files = new Set<string>();
  for (const pattern of patterns) {
    const found = await filesOf(pattern);
    if (typeof found === 'string') problems.push(`TETHER_ACTORS: ${pattern} ${found}`);
    else for (const file of found) files.add(file);
  }
  if (files.size > FILES_MAX) problems.push(`TETHER_ACTORS: ${files.size} files, at most ${FILES_MAX}`);
  if (problems.length > 0) throw new ConfigError(problems);

  const actors: ActorModule[] = [];
  const fileByType = new Map<string, string>();
  for (const file of files) {
    const module = pathToFileURL(file).href;
    try {
      const { type, group } = await loadInTime(module);
      const other = OWN_TYPES.includes(type) ? 'Tether itself' : fileByType.get(type);
      if (other === undefined) actors.push(Object.freeze({ type, module, group }));
      else problems.push(`TETHER_ACTORS: ${file}: there is an actor ${type} already, in ${other}`);
      fileByType.set(type, file);
    } catch (error) {
      if (!(error instanceof ActorModuleError)) throw error;
      problems.push(`TETHER_ACTORS: ${error.message.replace(module, file)}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(actors);
}

/** The files of a pattern, in the order of their names, or what is wrong with it. */
async function filesOf(pattern: string): Promise<readonly string[] | string> {
  const directory = dirname(pattern);
  const name = basename(pattern);
  try {
    if (!name.includes('*')) {
      return (await stat(pattern)).isFile()
        ? [pattern]
        : `is no file; all of a directory: ${join(pattern, '*.js')}`;
    }
    const parts = name.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const form = new RegExp(`^${parts.join('.*')}$`);
    const names = (await readdir(directory)).filter((candidate) => form.test(candidate)).sort();
    return names.length > 0 ? names.map((candidate) => join(directory, candidate)) : 'matches no file';
  } catch (error) {
    return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** @throws ActorModuleError */
async function loadInTime(module: string): ReturnType<typeof loadActor> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ActorModuleError(`${module} has not loaded after ${LOAD_MS_MAX / 1000} s`));
    }, LOAD_MS_MAX);
  });
  try {
    return await Promise.race([loadActor(module), late]);
  } finally {
    clearTimeout(timer);
  }
}

export { type ActorModule, ENDPOINT_TYPES, findActors, OWN_TYPES };
