/**
 * Finds the modules that a TypeScript source imports, for the structure test.
 *
 * A scanner, not a parser: it takes comments, strings, template literals and regular expressions out first, keeping
 * every position, so that an import in a comment or a text is none. It knows the forms of this code base: `import`,
 * `export ... from`, `import()`, `new URL('...', import.meta.url)` and `createRequire(...).resolve('...')`, with a literal.
 */
interface ImportedModule {
  readonly specifier: string;
  /** `import type` and `export type`: gone after the build, and therefore no dependency at run time. */
  readonly typeOnly: boolean;
  /** A file that is named by its URL, such as a worker's entry. */
  readonly byUrl: boolean;
}

const STATEMENT =
  /(?<![.\w$])(?:import|export)\b(\s+type\b(?!\s*(?:,|from\b|=)))?(?:[^;:'"()=]*?\bfrom\s*|\s*)['"]S(\d+)['"]/g;
const DYNAMIC = /(?<![.\w$])import\s*\(\s*['"]S(\d+)['"]/g;
const RESOLVED = /\bcreateRequire\s*\([^()]*\)\s*\.resolve\s*\(\s*['"]S(\d+)['"]/g;
const BY_URL = /\bnew\s+URL\s*\(\s*['"]S(\d+)['"]\s*,\s*import\.meta\.url/g;

function importsOf(source: string): readonly ImportedModule[] {
  const { code, strings } = withoutTexts(source);
  const found: ImportedModule[] = [];
  const add = (index: string | undefined, typeOnly: boolean, byUrl: boolean) => {
    const specifier = strings[Number(index)];
    if (specifier !== undefined) found.push({ specifier, typeOnly, byUrl });
  };
  for (const match of code.matchAll(STATEMENT)) add(match[2], match[1] !== undefined, false);
  for (const match of code.matchAll(DYNAMIC)) add(match[1], false, false);
  for (const match of code.matchAll(RESOLVED)) add(match[1], false, false);
  for (const match of code.matchAll(BY_URL)) add(match[1], false, true);
  return found;
}

/** `source` with comments blank, each plain string as `'Sn'` (n into `strings`), templates and patterns empty. */
function withoutTexts(source: string): { readonly code: string; readonly strings: readonly string[] } {
  const strings: string[] = [];
  let code = '';
  // Depths of braces at which a `${` of a template was opened: its `}` goes on with the template.
  const templates: number[] = [];
  let depth = 0;
  let at = 0;

  const template = (): void => {
    while (at < source.length) {
      const character = source[at++];
      if (character === '\\') at += 1;
      else if (character === '`') return;
      else if (character === '$' && source[at] === '{') {
        at += 1;
        templates.push(depth);
        depth += 1;
        return;
      }
    }
  };

  while (at < source.length) {
    const character = source[at] ?? '';
    const next = source[at + 1];
    if (character === '/' && next === '/') {
      const end = source.indexOf('\n', at);
      at = end === -1 ? source.length : end;
    } else if (character === '/' && next === '*') {
      const end = source.indexOf('*/', at + 2);
      at = end === -1 ? source.length : end + 2;
      code += ' ';
    } else if (character === "'" || character === '"') {
      const start = ++at;
      while (at < source.length && source[at] !== character) at += source[at] === '\\' ? 2 : 1;
      code += `'S${strings.push(source.slice(start, at)) - 1}'`;
      at += 1;
    } else if (character === '`') {
      at += 1;
      code += ' `` ';
      template();
    } else if (character === '/' && patternMayStart(code)) {
      at = endOfPattern(source, at);
      code += ' /./ ';
    } else {
      if (character === '{') depth += 1;
      if (character === '}') depth -= 1;
      at += 1;
      if (character === '}' && templates.at(-1) === depth) {
        templates.pop();
        template();
      } else code += character;
    }
  }
  return { code, strings };
}

/** Whether a `/` after `code` begins a regular expression: after a value it divides. */
function patternMayStart(code: string): boolean {
  const before = code.trimEnd();
  if (/(?:^|[^.\w$])(?:return|typeof|case|in|of|void|delete|throw|yield|await)$/.test(before)) return true;
  return !/[\w$)\]}'`/]$/.test(before);
}

function endOfPattern(source: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < source.length; at++) {
    const character = source[at];
    if (character === '\\') at += 1;
    else if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    else if (character === '\n') return at;
    else if (character === '/' && !inClass) return at + 1;
  }
  return source.length;
}

export { type ImportedModule, importsOf };
