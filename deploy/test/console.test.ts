/** The console in Chromium, on a real node: its shapes are those of the node, which the tests beside the console make up. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { launch, openPage, overflow, screenshot, signIn } from '../../gateway/console/test/browser.js';
import { until } from '../../runtime/testing/until.js';
import { copyTestData } from '../../storage/postgres/test-data.js';
import { freePort } from '../../storage/test-free-port.js';
import { postgresDir } from '../data-dir.js';
import { startNodeProcess } from './node-process.js';
import { spawnCli } from './spawn-cli.js';

t.setTimeout(120_000);

const TOKEN = 'a-token-of-some-length';
const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
/** What shows that a page has the node's own figures, and its failures. */
const PAGES = [
  ['', /Done/],
  ['pools', /Messages of a batch/],
  ['partitions', /partitions, one owner/],
  ['actors', /Hottest keys/],
  ['events', /processing/],
  ['dead-letters', /No dead letter is like that|TETHER_/],
  ['endpoints', /Nothing is forwarded/],
  ['uploads', /No upload is like that/],
  ['configuration', /TETHER_API_TOKEN/],
  ['audit', /pool\.change/],
] as const;

t.test('every page of a real node, a pool changed, an event found and revealed', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tether-console-'));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  await copyTestData(postgresDir(dataDir));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const node = startNodeProcess({ port, dataDir, env: { TETHER_API_TOKEN: TOKEN, TETHER_THREADS: '1' } });
  t.teardown(() => node.killTree((pids) => pids));
  await node.ready;
  const get = async (path: string) =>
    (await fetch(origin + path, { headers: HEADERS })).json() as Promise<Record<string, unknown>>;
  await until('its pools are there', async () => (await get('/api/pools')).pools !== undefined, 60_000);
  t.match(
    await spawnCli(['send', 'emp', '--count', '50', '--rate', 'max'], {
      TETHER_URL: origin,
      TETHER_API_TOKEN: TOKEN,
    }),
    { code: 0 },
  );
  await until('an event is there', async () => ((await get('/api/events')).events as unknown[]).length > 0);

  const browser = await launch(t);
  const { page, wrong } = await openPage(browser);
  await signIn(page, origin, TOKEN);
  await page.goto(`${origin}/console#/pools/payment`);
  await page.getByLabel('Messages of a batch').fill('123');
  await page.getByRole('button', { name: 'Change payment' }).click();
  await page.locator('.notice', { hasText: 'The settings of payment are changed.' }).waitFor();
  await page.getByText('differs: the file says').waitFor();
  t.match((await get('/api/pools/payment')).settings, { current: { batchMax: 123 } });

  for (const [name, text] of PAGES) {
    await page.goto(`${origin}/console#/${name}`);
    await page.locator('#content').getByText(text).filter({ visible: true }).first().waitFor();
    t.equal(await page.locator('.problem').count(), 0, `${name}: nothing is refused`);
    t.equal(await overflow(page), 0);
    await screenshot(page, `real-${name === '' ? 'overview' : name}`);
  }

  await page.goto(`${origin}/console#/events`);
  await page.getByRole('table', { name: 'Events' }).getByRole('button').first().click();
  await page.getByText('Reveal the body').click();
  await page.getByRole('button', { name: 'Reveal it' }).click();
  await page.getByText(/signature=/).waitFor();
  await screenshot(page, 'real-event');
  t.strictSame(wrong, []);
});
