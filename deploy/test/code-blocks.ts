/** The fenced blocks of the pages, and what a command line in one of them says to `tether` and to `npm run`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createProgram } from '../program.js';

interface Block {
  readonly page: string;
  /** Of its first line, from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

const PAGES: readonly string[] = [
  ...['README.md', 'CONTRIBUTING.md'],
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path)),
];

/** Every block of a page. Blocks in a list are moved to the left edge. */
function blocksOf(page: string, markdown = readFileSync(page, 'utf8')): readonly Block[] {
  return [...markdown.matchAll(/^( *)```([^\n`]*)\n([\s\S]*?)^\1```$/gm)].map(
    ({ 1: indent = '', 2: language = '', 3: text = '', index }) => ({
      page,
      line: markdown.slice(0, index).split('\n').length + 1,
      language,
      text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  );
}

/** The arguments of `tether` in a command, however it is started; undefined where it is not. */
function tetherArguments(words: readonly string[]): readonly string[] | undefined {
  const at = words.findIndex((word) => /(?:^|\/)(?:tether(?:\.js)?|deploy\/cli\.js)$/.test(word));
  const started = at >= 0 && words.slice(0, at).every((word) => /^(?:npx|node|--[\w=.-]+)$/.test(word));
  return started ? words.slice(at + 1) : undefined;
}

/**
 * What is wrong with the arguments: parsed by the program itself, with nothing done. To name a group of commands alone, such as `tether dead`, is no
 * mistake.
 */
function problemOf(args: readonly string[]): string | undefined {
  const program = createProgram({}, () => {});
  for (const command of withChildren(program)) {
    command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {}, outputError: () => {} });
    if (command !== program) command.action(() => {});
  }
  try {
    program.parse(args, { from: 'user' });
    return undefined;
  } catch (error) {
    const code = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    return /^commander\.(?:help|helpDisplayed|version)$/.test(String(code)) ? undefined : String(error);
  }
}

function withChildren(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withChildren)];
}

export { type Block, blocksOf, PAGES, problemOf, tetherArguments };
