/**
 * The site made of these pages: `npm run docs:build` writes it into `dist/site`, `npm run docs:dev` shows it while you write.
 *
 * Pages stay plain Markdown that reads as well without the site. It asks nothing of the network: no fonts, no search service, no icons.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitepress';
import { anchorOf, asWritten, linksOfFiles } from './markdown.js';
import { navigation, sidebar } from './sidebar.js';

const DOCS = join(import.meta.dirname, '..');

export default defineConfig({
  title: 'Tether',
  description: 'Durable webhooks and uploads, and the actor runtime beneath them',
  // No icon: else each browser asks for one.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  outDir: '../dist/site',
  cacheDir: '../dist/site-cache',
  rewrites: { 'README.md': 'index.md', ':folder/README.md': ':folder/index.md' },
  markdown: {
    // Placeholders such as <id> are text, as are braces and colons: nothing here is HTML, Vue, an attribute or a smiley.
    html: false,
    linkify: false,
    attrs: { disable: true },
    emoji: { enabled: [] },
    anchor: { slugify: anchorOf },
    config: (md) => {
      asWritten(md);
      linksOfFiles(md);
    },
  },
  themeConfig: {
    nav: navigation(DOCS),
    sidebar: sidebar(DOCS),
    outline: [2, 3],
    search: { provider: 'local' },
  },
  // What pages link to beside pages.
  buildEnd({ outDir }) {
    for (const path of ['reference', 'benchmarks']) {
      cpSync(join(DOCS, path), join(outDir, path), {
        recursive: true,
        filter: (from) => !from.endsWith('.md'),
      });
    }
  },
});
