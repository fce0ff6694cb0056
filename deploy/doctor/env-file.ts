/** Checks of the file that holds the environment: who may read it, and that no repository has it. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { parseEnv } from 'node:util';
import { type Check, failed, ok, skipped, warning } from './check.js';
import { isOwn, modeText, statOf } from './owner.js';

const GIT_MS_MAX = 2_000;

const mode: Check = {
  id: 'env-file',
  title: 'The file of the environment is its owner’s alone',
  async run({ envFile }) {
    const found = await statOf(envFile);
    if (found === undefined) return skipped(`${envFile} is not there`);
    const text = `${envFile} is ${modeText(found)}`;
    if (!isOwn(found)) {
      return failed(`${text}, and belongs to user ${found.uid}`, `chown ${process.getuid?.()} ${envFile}`);
    }
    if ((found.mode & 0o077) !== 0) {
      return failed(
        `${text}: others than its owner may ${(found.mode & 0o022) === 0 ? 'read' : 'change'} it`,
        `chmod 600 ${envFile}\nthink of its secrets as known, where others have accounts on this machine`,
      );
    }
    return ok(`${text}, and yours`);
  },
};

const loaded: Check = {
  id: 'env-loaded',
  title: 'The environment is what the file says',
  async run({ envFile, env }) {
    if ((await statOf(envFile)) === undefined) return skipped(`${envFile} is not there`);
    const text = await readFile(envFile, 'utf8').catch(() => undefined);
    if (text === undefined) return skipped(`${envFile} cannot be read`);
    const given = Object.entries(parseEnv(text)).filter(([name]) => name.startsWith('TETHER_'));
    const other = given
      .filter(([name, value]) => (env[name] ?? '') !== value)
      .map(([name]) => name)
      .sort();
    if (other.length === 0) return ok(`each of its ${given.length} keys is set as it says`);
    return warning(
      `not as ${envFile} says: ${other.join(', ')}`,
      `Tether reads no file by itself: node --env-file=${basename(envFile)} ..., or EnvironmentFile= of systemd; what was set before wins`,
    );
  },
};

const git: Check = {
  id: 'env-git',
  title: 'The file of the environment is in no repository',
  async run({ envFile, signal }) {
    if ((await statOf(envFile)) === undefined) return skipped(`${envFile} is not there`);
    const ask = (...args: readonly string[]) => runGit(dirname(envFile), args, signal);
    const name = `./${basename(envFile)}`;
    const inside = await ask('rev-parse', '--is-inside-work-tree');
    if (inside.code === 'ENOENT') return skipped('the program git is not there');
    if (inside.code !== 0) {
      return /not a git repository/.test(inside.stderr)
        ? skipped(`${dirname(envFile)} is in no git repository`)
        : warning(
            `git does not tell: ${firstLine(inside.stderr)}`,
            'run the doctor as the user who owns the repository',
          );
    }
    if ((await ask('ls-files', '--error-unmatch', '--', name)).code === 0) {
      return failed(
        `${envFile} is tracked by git: whoever has the repository has its secrets`,
        `git rm --cached ${basename(envFile)}, put it into .gitignore, and change every secret in it`,
      );
    }
    const history = await ask('log', '--all', '--oneline', '--max-count=1', '--', name);
    if (history.code === 0 && history.stdout.trim() !== '') {
      return failed(
        `${envFile} was committed once (${history.stdout.trim().split(' ')[0]}): its history still has what stood in it`,
        'change every secret that it ever held',
      );
    }
    if ((await ask('check-ignore', '--quiet', '--', name)).code !== 0) {
      return failed(
        `${envFile} is not ignored by git: the next \`git add .\` takes it along`,
        `put ${basename(envFile)} into .gitignore`,
      );
    }
    return ok('git neither has it nor will take it');
  },
};

interface GitAnswer {
  /** Its exit code, or the system's when it did not run. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Only asks: no lock, no pager, no question. */
function runGit(cwd: string, args: readonly string[], signal: AbortSignal): Promise<GitAnswer> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, LC_ALL: 'C' };
  return new Promise((resolve) => {
    execFile(
      'git',
      ['--no-pager', ...args],
      {
        cwd,
        signal,
        timeout: GIT_MS_MAX,
        env: { ...env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' },
      },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : (error.code ?? 'killed'), stdout, stderr }),
    );
  });
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

const envFileChecks: readonly Check[] = [mode, loaded, git];

export { envFileChecks };
