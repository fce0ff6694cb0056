/**
 * The console in a real browser: Debian's Chromium, found in PATH, steered by playwright. A test that finds none fails: the page is not tested without it.
 *
 * Screenshots stay in `dist/screenshots/`, to be looked at.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AxeResults } from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';

const SCREENSHOTS = fileURLToPath(new URL('../../../screenshots/', import.meta.url));
const AXE = createRequire(import.meta.url).resolve('axe-core');
const STEP_MS_MAX = 10_000;

export async function launch(t: Test): Promise<Browser> {
  const executablePath = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'chromium'))
    .find((path) => existsSync(path));
  if (executablePath === undefined)
    throw new Error('the tests of the console need `chromium` (Debian) in PATH');
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath, args: [...asRoot, '--disable-dev-shm-usage'] });
  t.teardown(() => browser.close());
  return browser;
}

export interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What must not happen: requests to other places, breaches of the policy, exceptions. */
  readonly wrong: string[];
}

interface OpenOptions {
  readonly dark?: boolean;
  readonly phone?: boolean;
}

/** A page of its own, with an eye on what it must not do. */
export async function openPage(browser: Browser, options: OpenOptions = {}): Promise<Opened> {
  const context = await browser.newContext({
    viewport: options.phone === true ? { width: 320, height: 640 } : { width: 1280, height: 860 },
    colorScheme: options.dark === true ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(STEP_MS_MAX);
  // By the debugger, which the page's policy does not stop.
  await context.addInitScript({ path: AXE });
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('request', (request) => {
    // Where the test itself goes is another matter.
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) return;
    if (new URL(request.url()).origin !== new URL(page.url()).origin)
      wrong.push(`asked for ${request.url()}`);
  });
  page.on('pageerror', (error) => wrong.push(`threw ${error.message}`));
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) wrong.push(message.text());
  });
  return { page, context, wrong };
}

/** To the console, with a token. */
export async function signIn(page: Page, origin: string, token: string): Promise<void> {
  await page.goto(`${origin}/console`);
  await page.getByLabel('API token').fill(token);
  await page.getByRole('button', { name: 'Look at this node' }).click();
  await page.locator('.connection', { hasText: 'Live' }).waitFor();
}

/** What axe finds, each as a line; with `rule`, by that rule alone. */
export async function axe(page: Page, rule?: string): Promise<readonly string[]> {
  const only = rule === undefined ? '' : `, runOnly: ['${rule}']`;
  const results = (await page.evaluate(
    `axe.run(document, { resultTypes: ['violations']${only} })`,
  )) as AxeResults;
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(' ')}: ${node.failureSummary ?? ''}`),
  );
}

/** How many pixels the page is wider than its window. */
export async function overflow(page: Page): Promise<number> {
  return (await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')) as number;
}

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}
