import t from 'tap';
import { axe, launch, openPage, screenshot, signIn } from './test/browser.js';
import { nodeView, SLOW } from './test/figures.js';
import { OPERATOR, startConsole } from './test/node.js';

t.setTimeout(60_000);

t.test('the first line names what limits the node, or says that it is healthy', async (t) => {
  let findings = [SLOW];
  const { origin } = await startConsole(t, { view: nodeView(() => findings) });
  const browser = await launch(t);
  const { page, wrong } = await openPage(browser);
  await signIn(page, origin, OPERATOR);

  const verdict = page.getByRole('region', { name: 'Health' });
  await verdict.getByText(SLOW.title).waitFor();
  t.match(await verdict.textContent(), SLOW.advice, 'with what to do');
  const chart = page.getByRole('img', { name: /^Throughput/ });
  t.match(await chart.getAttribute('aria-label'), /acknowledged: now [\d,]+\/s, lowest .* highest/);
  t.strictSame(await axe(page), [], 'axe finds nothing');
  await screenshot(page, 'overview-light');

  findings = [{ ...SLOW, severity: 'info', title: 'Settings of payment differ' }];
  await verdict.getByText('Healthy').waitFor();
  await verdict.getByText('Settings of payment differ').waitFor();
  findings = [];
  await verdict.getByText('Nothing limits this node.').waitFor();
  t.strictSame(wrong, []);
});
