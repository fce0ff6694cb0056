import t from 'tap';
import { axe, launch, openPage, overflow, screenshot, signIn } from './test/browser.js';
import { OPERATOR, startConsole } from './test/node.js';

/** The name in the address, and what shows that the page has its data. */
const PAGES = [
  ['', 'Actor payment is the bottleneck'],
  ['pools', 'Threads, at most'],
  ['partitions', 'partitions, 2 owners, 1 without an owner'],
  ['actors', 'Deepest mailboxes'],
  ['events', 'emp:77aa'],
  [`events/77aa`, 'stale'],
  ['dead-letters', 'TETHER_EMP_MALFORMED'],
  ['endpoints', 'taken away, deliveries wait'],
  ['replays', 'endpoint shop'],
  ['uploads', 'debtors-2026-11-21.csv'],
  ['configuration', 'TETHER_API_TOKEN'],
  ['audit', 'Nobody changed anything.'],
] as const;

t.setTimeout(60_000);
const browser = await launch(t);

for (const theme of ['light', 'dark', 'phone'] as const) {
  t.test(
    `every page, ${theme}: no finding of axe, no scrolling aside, nothing that is forbidden`,
    async (t) => {
      const { origin } = await startConsole(t);
      const { page, wrong } = await openPage(browser, {
        dark: theme === 'dark',
        phone: theme === 'phone',
      });
      await page.goto(`${origin}/console`);
      await page.getByLabel('API token').waitFor();
      // What another theme changes is colours alone.
      const rule = theme === 'light' ? undefined : 'color-contrast';
      t.strictSame(await axe(page, rule), [], 'the page that asks for the token');
      t.equal(await overflow(page), 0);
      await screenshot(page, `sign-in-${theme}`);
      await signIn(page, origin, OPERATOR);
      for (const [name, text] of PAGES) {
        await page.goto(`${origin}/console#/${name}`);
        await page.getByText(text).filter({ visible: true }).first().waitFor();
        t.strictSame(await axe(page, rule), [], `axe: ${name}`);
        t.equal(await overflow(page), 0, `${name} is not wider than the screen`);
        await screenshot(page, `${name.replace('/', '-') || 'overview'}-${theme}`);
      }
      t.strictSame(wrong, [], 'no other address, no breach of the policy, no exception');
    },
  );
}
