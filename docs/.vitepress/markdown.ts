/** Where the Markdown of these pages means something else to the site than to any other reader of Markdown. */
import type { MarkdownRenderer } from 'vitepress';

/** The anchor of a heading, as other viewers of Markdown make it; `deploy/test/docs.test.ts` holds links to the same. */
export function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

/** Text is shown as it is written: two braces begin no expression of Vue. Only what is to be ticked off gets a box. */
export function asWritten(md: MarkdownRenderer): void {
  const { text } = md.renderer.rules;
  if (text === undefined) throw new Error('the renderer has no rule for text');
  md.renderer.rules.text = (...args) =>
    text(...args)
      .replaceAll('{{', '&#123;&#123;')
      .replace(/^\[ \] /, '&#9744; ');
}

/** A README is the first page of its folder. A file that is no page is opened by the browser, past the router of the site. */
export function linksOfFiles(md: MarkdownRenderer): void {
  md.core.ruler.push('links-of-files', ({ tokens }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      if (token.type !== 'link_open') continue;
      const href = token.attrGet('href') ?? '';
      if (/^[a-z]+:/.test(href)) continue;
      token.attrSet('href', href.replace(/(^|\/)README\.md(?=#|$)/, '$1index.md'));
      if (/\.(?:html|json|svg)$/.test(href)) token.attrSet('target', '_self');
    }
  });
}
