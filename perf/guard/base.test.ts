import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { buildBase, readCheckout } from './base.js';
import { Cleanup } from './cleanup.js';

/** A checkout with two commits on main. */
function checkout(t: Test) {
  const root = t.testdir({ 'package-lock.json': '{"packages":{}}', node_modules: {}, made: {} });
  const git = (...args: readonly string[]) => {
    const who = ['-c', 'user.name=Guard', '-c', 'user.email=guard@localhost', '-c', 'commit.gpgsign=false'];
    return execFileSync('git', [...who, ...args], { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim();
  };
  const commit = (subject: string) => {
    writeFileSync(join(root, 'text'), subject);
    git('add', 'text', 'package-lock.json');
    git('commit', '-qm', subject);
    return git('rev-parse', 'HEAD');
  };
  git('init', '-q', '-b', 'main');
  return { root, git, commit, commits: [commit('one'), commit('two')] };
}

t.test('the base that is compared with when none is given', async (t) => {
  const { root, git, commit, commits } = checkout(t);
  const base = async (given?: string) => (await readCheckout(root, given)).base.commit;
  t.equal(await base(), commits[0], 'on main: the commit before');
  writeFileSync(join(root, 'text'), 'changed');
  t.match(await readCheckout(root, undefined), { changed: true, base: { commit: commits[1] } });
  git('checkout', '-q', '-b', 'branch');
  commit('three');
  commit('four');
  t.equal(await base(), commits[1], 'on a branch: where it left main');
  t.equal(await base('HEAD~1'), git('rev-parse', 'HEAD~1'), 'as given');
  t.match((await readCheckout(root, undefined)).head.title, / four$/);
});

t.test('what is wrong is said', async (t) => {
  const { root } = checkout(t);
  await t.rejects(readCheckout(root, 'nothing'), /git knows no commit nothing here/);
  await t.rejects(readCheckout(root, '--help'), /git knows no commit --help here/);
  await t.rejects(readCheckout(join(root, 'node_modules'), undefined), /is not a git checkout/);
});

t.test('a base that does not build leaves nothing behind', async (t) => {
  const { root, git } = checkout(t);
  const directory = join(root, 'made');
  const cleanup = new Cleanup();
  const { base } = await readCheckout(root, undefined);
  await t.rejects(
    buildBase(root, base, directory, cleanup, () => {}),
    /base \w+ one does not build/,
  );
  t.equal(readFileSync(join(directory, 'base', 'text'), 'utf8'), 'one', 'it was there');
  await cleanup.run();
  t.notOk(existsSync(join(directory, 'base')));
  t.equal(git('worktree', 'list').split('\n').length, 1);
});

t.test('all is undone, the last first, and once', async (t) => {
  const cleanup = new Cleanup();
  const undone: number[] = [];
  cleanup.add(() => void undone.push(1));
  const undoNow = cleanup.add(() => void undone.push(2));
  cleanup.add(async () => void undone.push(3));
  await undoNow();
  await undoNow();
  await Promise.all([cleanup.interrupt(), cleanup.run()]);
  t.ok(cleanup.signal.aborted);
  cleanup.add(() => void undone.push(4));
  await cleanup.run();
  t.strictSame(undone, [2, 3, 1, 4], 'what comes too late at once');
});
