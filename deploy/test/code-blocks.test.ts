/**
 * The code on the pages is true: what is TypeScript or JavaScript compiles against the package's own types, a command exists with the options that it
 * is given, and what is data parses. A block says by its language which of these it is.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SaxesParser } from 'saxes';
import t from 'tap';
import { parseAllDocuments } from 'yaml';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { type Block, blocksOf, PAGES, problemOf, tetherArguments } from './code-blocks.js';
import { shellCommands } from './shell-words.js';

t.setTimeout(60_000);

/** In the package's own scope, so that `tether` is what its `exports` say. */
const DIR = fileURLToPath(new URL('../../code-blocks/', import.meta.url));
/** Compiled and run by tests of their own, with another TypeScript configuration: the one on the page. */
const RUN_ELSEWHERE: readonly string[] = ['docs/tutorial/first-actor.md', 'README.md'];
/** What stands before a piece of a program, for its names to be known. */
const BEFORE: Readonly<Record<string, string>> = {
  'docs/how-to/tune-pools.md': "declare const system: import('tether').ActorSystem;\n",
  'docs/reference/uploads.md': 'const [file, token] = [new Blob(), String()];\n',
};
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

const blocks = PAGES.flatMap((page) => blocksOf(page));
const of = (...languages: readonly string[]) => blocks.filter(({ language }) => languages.includes(language));
const at = ({ page, line }: Block) => `${page}:${line}`;

/** Problems of the blocks that `check` refuses, by what it throws or returns. */
function problems(
  blocks: readonly Block[],
  check: (text: string) => readonly string[] | undefined,
): string[] {
  return blocks.flatMap((block) => {
    try {
      return (check(block.text) ?? []).map((problem) => `${at(block)}: ${problem}`);
    } catch (error) {
      return [`${at(block)}: ${error instanceof Error ? error.message : error}`];
    }
  });
}

t.test('every block says what it is', async (t) => {
  const known = ['ts', 'js', 'sh', 'console', 'json', 'yaml', 'ini', 'xml', 'sql', 'http', 'text'];
  t.strictSame(
    blocks
      .filter(({ language }) => !known.includes(language))
      .map((block) => `${at(block)} ${block.language}`),
    [],
  );
  t.ok(blocks.length > 100);
});

t.test('TypeScript and JavaScript compile', async (t) => {
  rmSync(DIR, { recursive: true, force: true });
  t.teardown(() => rmSync(DIR, { recursive: true, force: true }));
  for (const block of of('ts', 'js').filter(({ page }) => !RUN_ELSEWHERE.includes(page))) {
    const [, named] = /^\/\/ (\S+\.[jt]s)\n/.exec(block.text) ?? [];
    const folder = join(DIR, basename(dirname(block.page)), basename(block.page, '.md'));
    const file = join(folder, named ?? `line-${block.line}.${block.language}`);
    mkdirSync(folder, { recursive: true });
    if (existsSync(file)) throw new Error(`${at(block)}: there is a ${named} on this page already`);
    writeFileSync(file, `${(BEFORE[block.page] ?? '') + block.text}\nexport {};\n`);
  }
  const compilerOptions = {
    ...{ module: 'nodenext', target: 'es2023', lib: ['es2023', 'dom'], types: ['node'], noEmit: true },
    ...{ strict: true, noImplicitAny: false, allowJs: true, checkJs: true, skipLibCheck: true },
  };
  writeFileSync(join(DIR, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*/*/*'] }));
  const compiled = await promisify(execFile)(process.execPath, [
    'node_modules/typescript/bin/tsc',
    '-p',
    DIR,
  ]).then(
    () => '',
    ({ stdout }: { readonly stdout?: string }) => stdout ?? 'tsc did not run',
  );
  // What a message holds is unknown to the compiler where no type says it, and JavaScript reads it all the same.
  const untyped = /\.js\(.* TS(?:18046|2571|2339): .*(?: of type 'unknown'|on type 'unknown')/;
  t.strictSame(
    compiled.split('\n').filter((line) => line !== '' && !untyped.test(line)),
    [],
  );
});

t.test('commands exist, with their options', async (t) => {
  const wrong = problems(of('sh', 'console'), (text) =>
    shellCommands(text.replaceAll(/^\$ /gm, '')).flatMap((words) => {
      const args = tetherArguments(words);
      const problem = args && problemOf(args);
      if (problem !== undefined) return [`tether ${args?.join(' ')}: ${problem}`];
      const [, script] = /^npm run (?:--silent )?([\w:]+)/.exec(words.join(' ')) ?? [];
      return script !== undefined && scripts[script] === undefined ? [`there is no npm run ${script}`] : [];
    }),
  );
  t.strictSame(wrong, []);
});

t.test('a command in a sentence exists', async (t) => {
  const wrong = PAGES.flatMap((page) =>
    [
      ...readFileSync(page, 'utf8').matchAll(/(?<!`)`(?:npx )?(tether [a-z][^`\n]*|npm run [\w:]+)`(?!`)/g),
    ].flatMap(([, text = '']) => {
      const [program, ...args] = text.split(/\s+/);
      if (program === 'npm') return scripts[args[1] ?? ''] === undefined ? [`${page}: ${text}`] : [];
      // A sentence may leave out what has to follow.
      const problem = problemOf(args);
      return problem === undefined ||
        /missing required argument|argument missing|not specified|'\[?[A-Z]+\]?' is invalid/.test(problem)
        ? []
        : [`${page}: ${text}: ${problem}`];
    }),
  );
  t.strictSame(wrong, []);
});

t.test('data parses', async (t) => {
  t.strictSame(
    problems(of('json'), (text) => JSON.parse(text) && undefined),
    [],
  );
  t.strictSame(
    problems(of('yaml'), (text) =>
      parseAllDocuments(text).flatMap(({ errors }) => errors.map(({ message }) => message)),
    ),
    [],
  );
  t.strictSame(
    problems(of('xml'), (text) => {
      new SaxesParser().write(text).close();
      return undefined;
    }),
    [],
  );
  const ini = /^(?:[\w.-]+ *=.*|\[[\w.-]+\]|[#;].*|)$/;
  t.strictSame(
    problems(of('ini'), (text) => text.split('\n').filter((line) => !ini.test(line))),
    [],
  );
});

t.test('SQL runs on the tables that there are', async (t) => {
  const { pool } = await startTestPostgres(t);
  const wrong: string[] = [];
  for (const block of of('sql')) {
    await pool.query(block.text).catch((error: Error) => wrong.push(`${at(block)}: ${error.message}`));
  }
  t.strictSame(wrong, []);
});

t.test('each check can fail', async (t) => {
  const commands = shellCommands(
    'A=1 npx tether send emp --count 3 \\\n  --token \'a b\' # why\ncat "$(tether x)" | tether top > out && (tether dead list)',
  );
  t.strictSame(commands, [
    ['npx', 'tether', 'send', 'emp', '--count', '3', '--token', 'a b'],
    ['cat', 'X'],
    ['tether', 'top'],
    ['tether', 'dead', 'list'],
  ]);
  t.strictSame(tetherArguments(['node', '--env-file=.env', 'node_modules/.bin/tether', 'doctor']), [
    'doctor',
  ]);
  t.equal(tetherArguments(['useradd', '--system', 'tether']), undefined);
  t.equal(problemOf(['send', 'emp', '--count', '3']), undefined);
  t.equal(problemOf(['dead']), undefined);
  t.match(problemOf(['send', 'emp', '--cuont', '3']), /unknown option/);
  t.match(problemOf(['send', 'emp', '--count', 'many']), /count/);
  t.match(problemOf(['sned']), /unknown command/);
  t.match(problemOf(['dead', 'replya']), /too many arguments/);
  const [block] = blocksOf('a.md', 'text\n\n1. a list\n\n   ```json\n   {\n   ```\n');
  t.match(block, { page: 'a.md', line: 6, language: 'json', text: '{\n' });
  t.equal(problems([block as Block], (text) => JSON.parse(text)).length, 1);
});
