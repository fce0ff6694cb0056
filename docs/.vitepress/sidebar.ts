/**
 * The sidebar, made of the pages themselves: a group for each folder, the title of each page from its first line, in the order in which
 * `README.md` names them. A page that it does not name stands at the end of its group, so none is lost.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DefaultTheme } from 'vitepress';

/** Folder to the name of its group, in the order of the sidebar; `''` are the pages beside the folders. */
const GROUPS: readonly (readonly [folder: string, name: string])[] = [
  ['tutorial', 'Tutorial'],
  ['how-to', 'How to'],
  ['reference', 'Reference'],
  ['explanation', 'Explanation'],
  ['', 'Across all of it'],
  ['benchmarks', 'Benchmarks'],
  ['decisions', 'Decisions'],
];

/** Looked up now and then: folded until somebody does. */
const FOLDED: readonly string[] = ['benchmarks', 'decisions'];

interface PageItem {
  readonly text: string;
  readonly link: string;
}

export function sidebar(docs: string): DefaultTheme.SidebarItem[] {
  return GROUPS.map(([folder, text]) => ({
    text,
    items: [...pagesIn(docs, folder)],
    ...(FOLDED.includes(folder) ? { collapsed: true } : {}),
  }));
}

/** The four kinds, each by its first page. */
export function navigation(docs: string): DefaultTheme.NavItem[] {
  return GROUPS.slice(0, 4).flatMap(([folder, text]) => {
    const first = pagesIn(docs, folder)[0];
    return first === undefined ? [] : [{ text, link: first.link, activeMatch: `/${folder}/` }];
  });
}

function pagesIn(docs: string, folder: string): readonly PageItem[] {
  const map = readFileSync(join(docs, 'README.md'), 'utf8');
  const placeOf = (path: string) => {
    const at = map.indexOf(`](${path})`);
    return at < 0 ? map.length : at;
  };
  return readdirSync(join(docs, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => (folder === '' ? name : `${folder}/${name}`))
    .sort((a, b) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1))
    .map((path) => ({
      text: titleOf(join(docs, path)),
      link: `/${path.replace(/README\.md$/, '').replace(/\.md$/, '')}`,
    }));
}

function titleOf(path: string): string {
  const [, title] = /^# (.+)$/m.exec(readFileSync(path, 'utf8')) ?? [];
  if (title === undefined) throw new Error(`${path} has no title: its first line should be "# ..."`);
  return title.replaceAll('`', '');
}
