/**
 * The page `docs/tutorial/first-actor.md`, done as it says, by a user of the package: a folder outside of the repository, real files
 * and worker threads, and what is printed compared. Then once more in JavaScript.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t, { type Test } from 'tap';

t.setTimeout(300_000);

const PAGE = readFileSync('docs/tutorial/first-actor.md', 'utf8');
const TSC = resolve('node_modules/typescript/bin/tsc');

/** Files to write and commands to run, in the order of the page. */
type Step =
  | { readonly file: string; readonly text: string }
  | { readonly command: string; readonly prints: string };

function* stepsOf(page: string): Generator<Step> {
  for (const [, language, text = ''] of page.matchAll(/```(ts|json|console)\n([\s\S]*?)```/g)) {
    if (language === 'json') yield { file: 'tsconfig.json', text };
    else if (language === 'ts') yield { file: /^\/\/ (\S+)\n/.exec(text)?.[1] ?? '', text };
    else {
      for (const run of text.split(/^\$ /m).slice(1)) {
        const [command = '', ...lines] = run.split('\n');
        yield { command, prints: lines.join('\n') };
      }
    }
  }
}

/** As the page says: without the `type` lines, and what stands in angle brackets after `defineActor`. */
function inJavaScript(step: Step): Step {
  if (!('file' in step)) return step;
  const text = step.text
    .replaceAll(/^type .*\n/gm, '')
    .replaceAll(/defineActor<.*>\(/g, 'defineActor(')
    .replaceAll('type Asks, ', '');
  return { file: step.file.replace(/\.ts$/, '.js'), text };
}

/** A user's folder, with the package in it. */
function folderOfUser(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'tether-first-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'node_modules/@types'), { recursive: true });
  symlinkSync(process.cwd(), join(dir, 'node_modules/tether'));
  symlinkSync(resolve('node_modules/@types/node'), join(dir, 'node_modules/@types/node'));
  writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
  return dir;
}

async function follow(t: Test, dir: string, steps: Iterable<Step>): Promise<void> {
  for (const step of steps) {
    if ('file' in step) {
      writeFileSync(join(dir, step.file), step.text);
      continue;
    }
    const { command, prints } = step;
    const script = command === 'npx tsc' ? TSC : command.replace(/^node /, '');
    const { stdout, stderr } = await run(dir, script, prints);
    t.equal(stdout, prints.replace('^C', ''), `${command}\n${stderr}`);
  }
}

/** `prints` may hold a `^C`: when what stands before it is printed, the program is interrupted. */
async function run(dir: string, script: string, prints: string) {
  // The runner of this test adds itself to whatever Node.js is started, which is not the business of a user's program.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, script];
  const child = spawn('env', command, { cwd: dir, timeout: 120_000 });
  const said = { stdout: '', stderr: '' };
  const [before, after] = prints.split('^C');
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text;
    if (after !== undefined && said.stdout === before) child.kill('SIGINT');
  });
  const [code, signal] = await once(child, 'close');
  if (code !== 0) said.stdout += `exit ${code ?? signal}\n`;
  return said;
}

t.test('the page in TypeScript', async (t) => {
  await follow(t, folderOfUser(t), stepsOf(PAGE));
});

t.test('the page in JavaScript', async (t) => {
  const steps = [...stepsOf(PAGE)].filter(
    (step) => !('command' in step ? step.command === 'npx tsc' : step.file === 'tsconfig.json'),
  );
  await follow(t, folderOfUser(t), steps.map(inJavaScript));
});

t.test('the readme shows the same actor and the same program', async (t) => {
  const readme = readFileSync('README.md', 'utf8');
  for (const step of [...stepsOf(PAGE)].filter((step) => 'file' in step).slice(1, 3)) {
    t.ok('file' in step && readme.includes(step.text), 'file' in step ? step.file : '');
  }
});
