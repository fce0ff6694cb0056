/**
 * Builds the site of `docs/`, and walks through what came out: every page is reached from the sidebar, every link and anchor leads somewhere, and
 * nothing is asked of another server. A dead link between pages stops the build itself.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { build } from 'vitepress';

t.setTimeout(120_000);

const DIST = fileURLToPath(new URL('../../', import.meta.url));
const SITE = join(DIST, 'site-test');

/** Every file below a folder, as a path from there. */
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.relative(folder, join(entry.parentPath, entry.name)));

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** The address of a page: that of a README is its folder. */
const addressOf = (page: string) =>
  page.replace(/(^|\/)README\.md$/, '$1index.html').replace(/\.md$/, '.html');

/** Addresses that a piece of HTML links to, as paths in the site, with their anchors. */
function linksOf(html: string, page: string): readonly (readonly [path: string, anchor: string])[] {
  return [...html.matchAll(/<a\b[^>]*? href="([^"]*)"/g)].flatMap(([, href = '']) => {
    if (/^https?:/.test(href)) return [];
    const [path = '', anchor = ''] = href.replaceAll('&amp;', '&').split('#');
    const full = path === '' ? page : path.startsWith('/') ? path.slice(1) : posix.join(dirname(page), path);
    return [[/(^|\/)$/.test(full) ? `${full}index.html` : full, decodeURIComponent(anchor)] as const];
  });
}

t.test('the site is built, and holds together', async (t) => {
  t.teardown(() => rmSync(SITE, { recursive: true, force: true }));
  await build('docs', {
    outDir: SITE,
    onAfterConfigResolve(site) {
      // Other tests walk through `docs/` meanwhile.
      site.tempDir = join(DIST, 'site-test-server');
      // Colours of code are a third of the work, and nothing here looks at them.
      site.markdown = { ...site.markdown, highlight: (code) => `<pre v-pre>${escaped(code)}</pre>` };
    },
  });
  const sources = filesIn('docs').filter((path) => path.endsWith('.md'));
  const htmlOf = new Map(
    filesIn(SITE)
      .filter((path) => path.endsWith('.html') && path !== '404.html')
      .map((path) => [path, readFileSync(join(SITE, path), 'utf8')] as const),
  );
  t.strictSame(
    sources.map(addressOf).filter((page) => !htmlOf.has(page)),
    [],
    'each page is there',
  );

  const sidebar = /<aside class="VPSidebar[\s\S]*?<\/aside>/.exec(htmlOf.get('index.html') ?? '')?.[0] ?? '';
  const listed = new Set(linksOf(sidebar, 'index.html').map(([path]) => path));
  t.strictSame(
    sources.map(addressOf).filter((page) => page !== 'index.html' && !listed.has(page)),
    [],
    'the sidebar lists each page',
  );

  const wrong: string[] = [];
  for (const page of sources.map(addressOf)) {
    const html = htmlOf.get(page) ?? '';
    for (const [path, anchor] of linksOf(html, page)) {
      const target = htmlOf.get(path);
      if (target === undefined && !existsSync(resolve(SITE, path)))
        wrong.push(`${page}: ${path} is not there`);
      else if (anchor !== '' && !target?.includes(` id="${anchor}"`))
        wrong.push(`${page}: ${path}#${anchor}`);
    }
    for (const [, file = ''] of html.matchAll(/<(?:script|link|img)\b[^>]*? (?:src|href)="([^"]*)"/g)) {
      if (file.startsWith('data:')) continue;
      if (!file.startsWith('/') || !existsSync(join(SITE, file))) wrong.push(`${page}: loads ${file}`);
    }
  }
  t.strictSame(wrong, [], 'every link, anchor and file resolves');
});
