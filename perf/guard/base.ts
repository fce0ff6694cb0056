/**
 * The base: a commit, checked out in a directory of its own, with packages, compiled. It is gone at the end (`Cleanup`); what a run that
 * was killed leaves behind goes by `git worktree prune`.
 */
import { execFile } from 'node:child_process';
import { readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Cleanup } from './cleanup.js';
import { lockFits } from './lock-fits.js';
import type { Side } from './side.js';

const GIT_MS_MAX = 60_000;
const INSTALL_MS_MAX = 600_000;
const BUILD_MS_MAX = 300_000;
const OUTPUT_BYTES_MAX = 16 * 1_048_576;
/** Of what a build that failed says. */
const LINES_SHOWN = 20;
/** A hook of the checkout has nothing to do in a directory that lives for minutes. */
const NO_HOOKS = ['-c', 'core.hooksPath=/dev/null'];

export interface Revision {
  readonly commit: string;
  /** `1234abcd A subject` */
  readonly title: string;
}

export interface Checkout {
  readonly head: Revision;
  /** Whether the sources differ from head's commit. */
  readonly changed: boolean;
  readonly base: Revision;
  /** Why this one. */
  readonly reason: string;
}

/**
 * Default base: where the branch left the main branch. On the main branch itself: HEAD when something is changed in the work tree, else the
 * commit before it.
 *
 * @param root of the checkout
 * @throws Error (rejects) when it is none, or has no such commit
 */
export async function readCheckout(root: string, given: string | undefined): Promise<Checkout> {
  const top = await git(root, ['rev-parse', '--show-toplevel']).catch(() => '');
  if (top === '' || realpathSync(top) !== realpathSync(root)) {
    throw new Error(`${root} is not a git checkout: the guard compares with a commit; run it in a clone`);
  }
  const head = await revision(root, 'HEAD');
  const changed = (await git(root, ['status', '--porcelain', '--untracked-files=no'])) !== '';
  if (given !== undefined) {
    const base = await revision(root, given).catch(() => {
      throw new Error(`git knows no commit ${given} here; is it fetched, and spelt as in git log?`);
    });
    return { head, changed, base, reason: 'as given' };
  }
  const main = await mainBranch(root);
  const left = main === undefined ? '' : await git(root, ['merge-base', main, 'HEAD']).catch(() => '');
  if (left !== '' && left !== head.commit) {
    return { head, changed, base: await revision(root, left), reason: `where the branch left ${main}` };
  }
  if (changed) return { head, changed, base: head, reason: 'for the changes of the work tree' };
  const base = await revision(root, 'HEAD~1').catch(() => {
    throw new Error('HEAD has no commit before it here: give a base commit, or fetch the history');
  });
  return { head, changed, base, reason: 'the commit before HEAD' };
}

/**
 * @param directory where `base` is made
 * @param note told what is done
 * @throws Error (rejects) when it cannot be checked out, its packages not be installed, or it does not build
 */
export async function buildBase(
  root: string,
  { commit, title }: Revision,
  directory: string,
  cleanup: Cleanup,
  note: (text: string) => void,
): Promise<Side> {
  const place = join(directory, 'base');
  const { signal } = cleanup;
  cleanup.add(async () => {
    await git(root, ['worktree', 'remove', '--force', place]).catch(async () => {
      // It was not made, or only half.
      rmSync(place, { recursive: true, force: true });
      await git(root, ['worktree', 'prune']);
    });
  });
  note(`base: checking out ${title}`);
  await git(root, [...NO_HOOKS, 'worktree', 'add', '--detach', place, commit], signal);
  const lock = (of: string): unknown => JSON.parse(readFileSync(join(of, 'package-lock.json'), 'utf8'));
  if (lockFits(lock(place), lock(root))) {
    note("base: takes head's packages, which have all of its own in the same versions");
    symlinkSync(realpathSync(join(root, 'node_modules')), join(place, 'node_modules'));
  } else {
    note('base: installing packages of its own (npm ci), for package-lock.json differs');
    const install = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', install, place, INSTALL_MS_MAX, signal).catch((error: Error) => {
      throw new Error(`the packages of base ${title} cannot be installed:\n${error.message}`);
    });
  }
  note('base: compiling');
  const compiler = join(place, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [compiler, '-p', place], place, BUILD_MS_MAX, signal).catch((error: Error) => {
    throw new Error(`base ${title} does not build; choose another commit:\n${error.message}`);
  });
  return { name: 'base', dist: `${pathToFileURL(join(place, 'dist')).href}/` };
}

async function mainBranch(root: string): Promise<string | undefined> {
  const remote = await git(root, ['symbolic-ref', '--short', 'refs/remotes/origin/HEAD']).catch(() => '');
  for (const name of [remote, 'main', 'master']) {
    if (name === '') continue;
    const commit = await git(root, ['rev-parse', '--verify', '--quiet', `${name}^{commit}`]).catch(() => '');
    if (commit !== '') return name;
  }
  return undefined;
}

async function revision(root: string, name: string): Promise<Revision> {
  const commit = await git(root, [
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${name}^{commit}`,
  ]);
  return { commit, title: await git(root, ['log', '-1', '--format=%h %s', commit]) };
}

const git = (root: string, args: readonly string[], signal?: AbortSignal): Promise<string> =>
  run('git', args, root, GIT_MS_MAX, signal);

/** What a program prints, trimmed. Rejects with the end of all that it said. */
async function run(
  file: string,
  args: readonly string[],
  cwd: string,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  try {
    const options = { cwd, timeout, signal, maxBuffer: OUTPUT_BYTES_MAX };
    const { stdout } = await promisify(execFile)(file, args, options);
    return stdout.trim();
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { readonly stdout?: string; readonly stderr?: string };
    const said = `${stdout}${stderr}`.trim().split('\n').slice(0, LINES_SHOWN).join('\n');
    throw new Error(said === '' ? `${file} ${args.join(' ')}: ${(cause as Error).message}` : said, { cause });
  }
}
