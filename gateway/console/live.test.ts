import t from 'tap';
import { axe, launch, openPage, screenshot, signIn } from './test/browser.js';
import { Cable } from './test/cable.js';
import { OPERATOR, startConsole } from './test/node.js';

t.setTimeout(60_000);
const browser = await launch(t);
t.test('a lost connection is said, what is old looks old, and the page comes back by itself', async (t) => {
  const { gateway } = await startConsole(t);
  const cable = new Cable(t, gateway.port);
  await cable.plug();
  const { page, context } = await openPage(browser);
  await signIn(page, `http://127.0.0.1:${cable.port}`, OPERATOR);
  await page.getByText('Actor payment is the bottleneck').waitFor();
  cable.pull();
  await page.getByText(/Connection lost, since \d\d:\d\d:\d\d/).waitFor();
  await page.locator('.stale').waitFor();
  await page.getByText(/What you see is as of \d\d:\d\d:\d\d/).waitFor();
  t.ok(await page.getByText('Actor payment is the bottleneck').isVisible(), 'what was seen last stays');
  t.strictSame(await axe(page), []);
  await screenshot(page, 'connection-lost');
  await cable.plug();
  await page.getByText('Connection lost', { exact: false }).first().waitFor({ state: 'detached' });
  await page.locator('.connection', { hasText: 'Live' }).waitFor();
  t.equal(await page.locator('.stale').count(), 0);
  await context.close();
});

t.test('a token is tried, kept in the tab alone, and forgotten when the node knows it no more', async (t) => {
  const { origin } = await startConsole(t);
  const { page, context } = await openPage(browser);
  await page.goto(`${origin}/console`);
  await page.getByLabel('API token').fill('wrong');
  await page.getByRole('button', { name: 'Look at this node' }).click();
  await page.getByText('The node does not know this token.').waitFor();
  await page.getByLabel('API token').fill('with spaces');
  await page.getByRole('button', { name: 'Look at this node' }).click();
  await page.getByText('without spaces').waitFor();
  await signIn(page, origin, OPERATOR);
  t.equal(await page.evaluate('JSON.stringify(localStorage) + document.cookie'), '{}', 'nowhere else');
  await page.reload();
  await page.locator('.connection', { hasText: 'Live' }).waitFor();
  await page.evaluate("sessionStorage.setItem('tether.token', 'revoked')");
  await page.reload();
  await page.getByText('The node does not know this token.').waitFor();
  t.equal(await page.evaluate('sessionStorage.length'), 0);
  await signIn(page, origin, OPERATOR);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('API token').waitFor();
  t.equal(await page.evaluate('sessionStorage.length'), 0);
  await context.close();
});

t.test('the keyboard goes everywhere', async (t) => {
  const { origin } = await startConsole(t);
  const { page, context } = await openPage(browser);
  await signIn(page, origin, OPERATOR);
  const heading = (name: string) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
  const focused = () =>
    page.evaluate('document.activeElement?.textContent || document.activeElement?.tagName');
  for (const [key, title] of [
    ['p', 'Pools'],
    ['t', 'Partitions'],
    ['a', 'Actors'],
    ['d', 'Dead letters'],
    ['w', 'Endpoints'],
    ['u', 'Uploads'],
    ['c', 'Configuration'],
    ['l', 'Audit'],
    ['e', 'Events'],
  ] as const) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await heading(title);
    t.equal(await focused(), title, `g ${key}: the focus is at the heading`);
  }
  await page.keyboard.press('/');
  t.equal(await focused(), 'INPUT', '/ is in the search');
  await page.keyboard.type('gp?');
  await heading('Events');
  t.equal(await page.getByLabel('Key', { exact: true }).inputValue(), 'gp?', 'what is typed is no shortcut');
  await page.getByLabel('Key', { exact: true }).blur();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  t.strictSame(await axe(page), []);
  await screenshot(page, 'keyboard');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('t');
  t.equal(await page.evaluate('document.documentElement.dataset.theme'), 'light');
  await page.keyboard.press('t');
  t.equal(await page.evaluate('document.documentElement.dataset.theme'), 'dark');
  await page.reload();
  await page.locator('.connection', { hasText: 'Live' }).waitFor();
  t.equal(await page.evaluate('document.documentElement.dataset.theme'), 'dark', 'it is kept');

  // From the top: the first stop skips the pages.
  await page.keyboard.press('Tab');
  t.equal(await focused(), 'Skip to the content');
  const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
  t.equal(outline, 'solid', 'the focus is seen');
  await context.close();
});
