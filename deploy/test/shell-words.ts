/**
 * The commands in a block of shell, as words: enough of the shell's grammar for the blocks of documentation, to hold what they call to what is there.
 *
 * What only a running shell knows (`$(...)`, `$NAME`) stands as the word `X`. Assignments before a command, redirections and comments are left out.
 */

/** Words of each simple command, in order; an operator such as `|` or `&&` ends one. */
export function shellCommands(text: string): readonly (readonly string[])[] {
  const commands: string[][] = [[]];
  // A quoted text, an expansion, a comment, an operator, space, or a character: whichever comes first.
  const token =
    /\\\n|'([^']*)'|"((?:[^"\\]|\\.)*)"|\$\((?:[^()]|\([^()]*\))*\)|\$\{[^}]*\}|\$\w+|(?<=^|\s)#[^\n]*|(?:\d?>>?|<)&?\s*[^\s;|&]+|([\n;|&()]+)|([ \t]+)|\\?(.)/g;
  let word: string | undefined;
  const endWord = () => {
    if (word !== undefined) commands.at(-1)?.push(word);
    word = undefined;
  };
  for (const [all, single, double, operator, space, character] of text.matchAll(token)) {
    if (all === '\\\n' || space !== undefined) endWord();
    else if (operator !== undefined) {
      endWord();
      commands.push([]);
    } else if (single !== undefined) word = (word ?? '') + single;
    else if (double !== undefined) word = (word ?? '') + double.replaceAll(/\$\([^)]*\)|\$\w+/g, 'X');
    else if (all.startsWith('$')) word = `${word ?? ''}X`;
    else if (character !== undefined) word = (word ?? '') + character;
  }
  endWord();
  return commands.map(withoutAssignments).filter((words) => words.length > 0);
}

function withoutAssignments(words: readonly string[]): readonly string[] {
  const first = words.findIndex((word) => word !== 'export' && !/^\w+=/.test(word));
  return first < 0 ? [] : words.slice(first);
}
