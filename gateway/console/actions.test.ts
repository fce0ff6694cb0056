import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { until } from '../../runtime/testing/until.js';
import { axe, launch, openPage, screenshot, signIn } from './test/browser.js';
import { OPERATOR, READER, startConsole } from './test/node.js';
import { idOf } from './test/rows.js';

t.setTimeout(60_000);
// One tab for all, as it takes a second to open; each test has a node of its own, and the tab starts anew there.
const { page, wrong } = await openPage(await launch(t));

async function open(t: Test, token = OPERATOR) {
  wrong.length = 0;
  const started = await startConsole(t);
  await signIn(page, started.origin, token);
  const go = (name: string) => page.goto(`${started.origin}/console#/${name}`);
  return { ...started, page, wrong, go };
}

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });
const dialog = (page: Page) => page.getByRole('dialog');
const notice = (page: Page, text: string) => page.locator('.notice', { hasText: text }).waitFor();

t.test('a pool is changed, refused what is not allowed, and taken back to the file', async (t) => {
  const { page, go, node, wrong } = await open(t);
  await go('pools/payment');
  const most = page.getByLabel('Threads, at most');
  await most.fill('900');
  await page.getByText('from 1 to 64').waitFor();
  t.ok(await button(page, 'Change payment').isDisabled(), 'not over what is allowed');
  await most.fill('x');
  await page.getByText('a whole number').waitFor();
  await most.fill('8');
  await page.getByLabel('Linger, ms').fill('5');
  await button(page, 'Change payment').click();
  await notice(page, 'The settings of payment are changed.');
  t.match(node.pools[0]?.settings.current, { min: 1, max: 8, lingerMs: 5 });
  t.strictSame(Object.keys(node.changes[0] ?? {}).sort(), [
    'action',
    'after',
    'at',
    'before',
    'client',
    'id',
    'target',
  ]);
  await page.getByText('differs: the file says 4').waitFor();
  await button(page, 'Back to the file').click();
  await notice(page, 'payment has the settings of the file again.');
  t.equal(node.pools[0]?.settings.differs, false);
  t.strictSame(wrong, []);
});

t.test('a pool is paused, resumed and drained, each after a question', async (t) => {
  const { page, go, node } = await open(t);
  await go('pools/payment');
  await button(page, 'Pause').click();
  await dialog(page).getByText('Webhooks are acknowledged on').waitFor();
  t.strictSame(await axe(page), [], 'the question');
  await screenshot(page, 'pool-pause');
  await button(page, 'Leave it').click();
  t.equal(node.pools[0]?.mode, 'running', 'a question that is left changes nothing');
  await button(page, 'Pause').click();
  await button(page, 'Yes, pause').click();
  await notice(page, 'The pool of payment is paused.');
  t.equal(node.pools[0]?.mode, 'paused');
  await button(page, 'Resume').click();
  await button(page, 'Yes, resume').click();
  await notice(page, 'The pool of payment is resumed.');
  await button(page, 'Drain').click();
  await button(page, 'Yes, drain').click();
  await notice(page, 'The pool of payment is draining.');
  t.equal(node.pools[0]?.mode, 'draining');
  t.strictSame(
    node.changes.map(({ action, client }) => `${client} ${action}`),
    ['operator pool.drain', 'operator pool.resume', 'operator pool.pause'],
  );
  await go('audit');
  await page.getByText('pool.drain').waitFor();
  await screenshot(page, 'audit-changes');
});

t.test('an event is found by its key; its body is masked until it is revealed, which is noted', async (t) => {
  const { page, go, node, wrong } = await open(t);
  await go('events');
  await page.getByLabel('Key', { exact: true }).fill('emp:77aa');
  await button(page, 'Search').click();
  const rows = page.getByRole('table', { name: 'Events' }).getByRole('row');
  await until('two events and the head are there', async () => (await rows.count()) === 3);
  await rows.getByRole('button').first().click();
  await page.getByRole('heading', { name: 'Event emp:77aa' }).waitFor();
  await page.getByText('•••• masked').first().waitFor();
  t.notMatch(await page.content(), /someone@example\.org|someone%40/, 'nothing personal is in the page');
  await page.getByRole('heading', { name: 'History of the payment' }).waitFor();
  t.strictSame(await axe(page), [], 'the detail');
  await screenshot(page, 'event-detail');
  await button(page, 'Reveal the body').click();
  await button(page, 'Reveal it').click();
  await page.getByText('someone%40example.org').waitFor();
  t.match(node.changes[0], { action: 'event.reveal', target: idOf(100), client: 'operator' });
  await button(page, 'Mask it again').click();
  await page.getByText('•••• masked').first().waitFor();
  t.strictSame(wrong, [], 'a key that looks like HTML is a text');
});

t.test('dead letters are looked at, and replayed or dropped after a preview', async (t) => {
  const { page, go, node } = await open(t);
  const states = () => node.letters.all.map(({ state }) => state.charAt(0)).join('');
  await go('dead-letters');
  await button(page, 'emp:9f1c0').click();
  await page.getByText('the amount is no number').first().waitFor();
  await page.getByText('•••• masked').first().waitFor();
  t.notMatch(await page.content(), /someone@example\.org|someone%40/, 'nothing personal is in the page');
  await screenshot(page, 'dead-letter-detail');
  await button(page, 'Reveal the body').click();
  await button(page, 'Reveal it').click();
  await page.getByText('someone%40example.org').waitFor();
  t.match(node.changes[0], { action: 'dead-letter.reveal', client: 'operator' });
  await button(page, 'Mask it again').click();
  await button(page, 'Replay').click();
  await dialog(page).getByText('1 message of 1 key go back on the log').waitFor();
  t.strictSame(await axe(page), [], 'the preview');
  await screenshot(page, 'dead-letter-preview');
  await button(page, 'Replay 1').click();
  await notice(page, '1 message back on the log.');
  t.equal(states(), 'rwwwwrw');

  await page.getByLabel('Select emp:9f1c1').check();
  await page.getByLabel('Select emp:9f1c2').check();
  await button(page, 'Drop 2 selected').click();
  await button(page, 'Drop 2').click();
  await notice(page, '2 messages dropped.');
  t.equal(states(), 'rddwwrw');

  await page.getByLabel('Code of the cause').fill('TETHER_EMP_MALFORMED');
  await button(page, 'Search').click();
  await page.getByLabel('Select emp:9f1c6').waitFor({ state: 'detached' });
  await button(page, 'Replay all of the filter').click();
  await button(page, 'Replay 2').click();
  await notice(page, '2 messages back on the log.');
  t.equal(states(), 'rddrrrw', 'the one that the filter leaves out waits on');
});

t.test('events are replayed after a preview, and the replay is paused, resumed and cancelled', async (t) => {
  const { page, go, node, wrong } = await open(t);
  await go('events');
  await page.getByLabel('Endpoint').fill('emp');
  await button(page, 'Search').click();
  await button(page, 'Replay all of the search').click();
  await dialog(page).getByText('2 events are told to the actors of their routes').waitFor();
  await page.getByLabel('To', { exact: true }).fill('payment');
  await page.getByLabel('Events a second, at most').fill('0');
  await dialog(page).getByText('a whole number from 1 to 10,000').waitFor();
  await dialog(page)
    .getByText(/Payment has had every event/)
    .waitFor();
  t.ok(await dialog(page).getByRole('button', { name: 'Wait …' }).isDisabled(), 'payment is refused');
  await page.getByLabel('To', { exact: true }).fill('ledger');
  await page.getByLabel('Events a second, at most').fill('50');
  await page.getByLabel('Forced: effects may come a second time').check();
  await dialog(page)
    .getByText(/2 events are told to ledger.*second time/)
    .waitFor();
  t.strictSame(await axe(page), [], 'the preview');
  await screenshot(page, 'replay-preview');
  await button(page, 'Replay 2').click();
  await notice(page, 'The replay is made.');
  t.match(node.replays.all[0], {
    selection: { filter: { endpoint: 'emp' } },
    target: 'ledger',
    forced: true,
    rate: 50,
  });
  const row = page.getByRole('row', { name: /endpoint emp/ });
  await row.getByRole('button', { name: 'Pause' }).click();
  await button(page, 'Leave it').click();
  t.equal(node.replays.all[0]?.state, 'running', 'a question that is left changes nothing');
  await row.getByRole('button', { name: 'Pause' }).click();
  await button(page, 'Yes, pause').click();
  await notice(page, 'The replay is paused.');
  await row.getByRole('button', { name: 'Resume' }).click();
  await button(page, 'Yes, resume').click();
  await notice(page, 'The replay is running.');
  await row.getByRole('button', { name: 'Cancel' }).click();
  await dialog(page).getByText('What was told stays told').waitFor();
  await button(page, 'Yes, cancel').click();
  await notice(page, 'The replay is cancelled.');
  // The list is asked anew when that is said.
  await until('at an end there is nothing to do', async () => (await row.getByRole('button').count()) === 0);
  t.strictSame(
    node.changes.map(({ action }) => action),
    ['replay.cancel', 'replay.resume', 'replay.pause', 'replay.create'],
  );
  t.strictSame(wrong, []);
});

t.test('the level of the log is changed, and settings are found', async (t) => {
  const { page, go, node } = await open(t);
  await go('configuration');
  await page.getByLabel('Level', { exact: true }).selectOption('debug');
  await button(page, 'Set the level').click();
  await notice(page, 'The log says debug and above now.');
  t.equal(node.level, 'debug');
  await page.getByText(/debug, back to info\s+in (60 min|1 h)/).waitFor();
  await page.getByLabel('Key contains').fill('token');
  await page.getByText('TETHER_PORT').waitFor({ state: 'detached' });
  t.ok(await page.getByText('TETHER_API_TOKEN').isVisible());
});

t.test('endpoints and targets: what is wrong, what waits, and no secret', async (t) => {
  const { page, go, wrong } = await open(t);
  await go('endpoints');
  const endpoints = page.getByRole('table', { name: 'Endpoints' });
  await endpoints.getByText("type == 'invoice.paid' → ledger, forward:erp").waitFor();
  await endpoints.getByText('rest → kept only').waitFor();
  await endpoints.getByText('secrets[0]: the reference cannot be followed').waitFor();
  await page.getByText('The file is refused').waitFor();
  await page.getByText('endpoint shop: provider: is one of').waitFor();
  const targets = page.getByRole('table', { name: 'Targets' });
  await targets.getByText('https://erp.example').waitFor();
  await targets.getByText('10,000+').waitFor();
  await targets.getByText('status 503').waitFor();
  await targets.getByText('10 at once, 5/s').waitFor();
  await screenshot(page, 'endpoints-trouble');
  t.strictSame(wrong, []);
});

t.test('uploads are filtered by their state', async (t) => {
  const { page, go } = await open(t);
  await go('uploads');
  await page.getByRole('progressbar', { name: /debtors-2026-11-21.csv: 64 %/ }).waitFor();
  await page.getByLabel('State').selectOption('failed');
  await button(page, 'Search').click();
  await page.getByText('debtors-2026-11-21.csv').waitFor({ state: 'detached' });
  t.ok(await page.getByText('the file has no header').isVisible());
});

t.test('a token that only looks: every action is off, and says why', async (t) => {
  const { page, go } = await open(t, READER);
  await page.getByText('looks only').waitFor();
  await go('pools/payment');
  await button(page, 'Pause').waitFor();
  t.ok(await button(page, 'Pause').isDisabled());
  t.equal(await button(page, 'Pause').getAttribute('title'), 'Your token may look but not change');
  await go(`dead-letters/${idOf(1)}`);
  await page.getByText('•••• masked').first().waitFor();
  t.ok(await button(page, 'Replay').isDisabled());
  t.ok(await page.getByLabel('Select emp:9f1c1').isDisabled());
});
