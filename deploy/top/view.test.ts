import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { createElement } from 'react';
import t from 'tap';
import { poolOf, statusOf } from '../../gateway/test/made-up-status.js';
import { testSeed } from '../../runtime/testing/seed.js';
import { renderFrame } from './frame.js';
import { firstState, type TopState, withLoss } from './state.js';
import { themeOf } from './theme.js';
import { View } from './view.js';

const theme = themeOf({ LANG: 'C.UTF-8' });
const URL = 'http://127.0.0.1:8080';

const linesOf = (state: TopState, columns = 80, rows = 24, look = theme): readonly string[] => {
  const view = createElement(View, { state, theme: look, columns, rows });
  return stripVTControlCharacters(renderFrame(view, { columns, rows, glyphs: look.glyphs })).split('\n');
};

t.test('a healthy node at 80x24: who it is, how it is, and every table', async (t) => {
  const lines = linesOf(firstState(URL, statusOf()));
  const text = lines.join('\n');
  t.equal(lines.length, 24);
  t.match(lines[0], /^tether 0\.1\.0 {2}node-1 {2}role all {2}serving {2}up 3h 2m/);
  t.match(lines[1], `${URL}  an answer means`);
  t.match(lines[2], 'OK nothing is the matter');
  t.match(lines[4], /ack\/s 500 +done\/s 420 +refused\/s 0 +dead letters 3/);
  t.match(lines[5], /ack ms p50 0\.4 +p95 1\.2 +p99 3\.4 +lag 1\.2k +age p95 1\.3s/);
  t.match(text, /> payment +running +2\/1-4 +\|\|\| {3} +50% +420 +1\.2k +3\.0 +2\.5 +12 +1\.3s/);
  t.match(text, /\n {2}upload +running/);
  t.match(text, /THREAD .*\n {2}0 +ready +32 +\|\| +25% +1\.5 +30M\n {2}1 +ready +32 +\|{5} +75%/);
  t.match(text, /NEEDS .*\n {2}postgres +40 +4\.0 +0 ok\n {2}s3/);
  t.match(lines[23], /^q quit/);
});

t.test('the worst finding stands above all, with what to do', async (t) => {
  const finding = { code: 'slow', detail: 'a turn takes 900 ms', advice: 'look at Postgres' };
  const findings = [
    { ...finding, severity: 'critical', title: 'payment is slow' } as const,
    { ...finding, severity: 'info', title: 'another' } as const,
  ];
  const lines = linesOf(firstState(URL, statusOf({ findings })));
  t.match(lines[2], 'CRITICAL payment is slow: a turn takes 900 ms');
  t.match(lines[3], '(+1 more) -> look at Postgres');
});

t.test('no line breaks and none is too many, at any size, with any node', async (t) => {
  const seed = testSeed(t);
  const name = fc.string({ minLength: 1, maxLength: 200, unit: 'binary' });
  const actor = fc.stringMatching(/^[a-z][a-z0-9-]{0,62}$/);
  const any = fc.record({
    columns: fc.integer({ min: 60, max: 250 }),
    rows: fc.integer({ min: 8, max: 80 }),
    name,
    actors: fc.uniqueArray(actor, { maxLength: 30 }),
    figure: fc.double({ min: 0, max: 1e15, noNaN: true }),
    mode: fc.constantFrom('overview', 'details', 'help'),
    nodes: fc.option(fc.array(name, { maxLength: 20 }), { nil: null }),
  });
  fc.assert(
    fc.property(any, ({ columns, rows, name, actors, figure, mode, nodes }) => {
      const status = statusOf();
      const state = firstState(`http://${name}`, {
        ...status,
        node: { ...status.node, name },
        pools: actors.map((each) => poolOf(each, { donePerSecond: figure, lag: figure, inFlight: figure })),
        cluster: nodes && { node: name, nodes, gateways: [], owned: 1, partitions: 64, leasesLost: 0 },
      });
      const lines = linesOf({ ...state, panel: { mode } }, columns, rows);
      return (
        lines.length === rows &&
        lines.every((line) => [...line].length <= columns) &&
        lines.at(-1)?.startsWith('q quit') === true
      );
    }),
    { seed, numRuns: 40 },
  );
});

t.test('at 60 columns the columns that matter least stay away', async (t) => {
  const text = linesOf(firstState(URL, statusOf()), 60).join('\n');
  t.match(text, /POOL +MODE +THREADS +BUSY +DONE\/S +LAG/);
  t.notMatch(text, 'FLIGHT');
  const late = statusOf({ pools: [poolOf('payment', { behindMs: 75_000 })] });
  const narrow = linesOf(firstState(URL, late), 80).join('\n');
  t.match(narrow, /LAG BEHIND[\s\S]*> payment .* 75\.0s/, 'how late it is, on a terminal of the usual size');
});

t.test('details show what is set and what the file says', async (t) => {
  const pool = poolOf('payment');
  const { file } = pool.settings;
  const settings = { current: { ...file, batchMax: 200 }, file, differs: true };
  const state = firstState(URL, statusOf({ pools: [{ ...pool, settings }] }));
  const text = linesOf({ ...state, panel: { mode: 'details' } }).join('\n');
  t.match(text, /batchMax +200 +64 \*/);
  t.match(text, /lingerMs +0 +0 {3}/);
  t.match(text, 'tether pools reset payment');
});

t.test('a loss says since when and why, and the last figures stay', async (t) => {
  const at = Date.UTC(2026, 10, 26, 6, 0, 0);
  const once = withLoss(firstState(URL, statusOf()), 'ECONNREFUSED', at);
  const lines = linesOf(withLoss(once, 'ECONNREFUSED', at + 12_000));
  t.match(lines[0], 'connection lost');
  t.match(lines[22], 'connection lost since 06:00:00 UTC (12s), trying again: ECONNREFUSED');
  t.match(lines[4], 'ack/s 500');
});

t.test('without colour and without UTF-8 all is still said', async (t) => {
  const plain = themeOf({ NO_COLOR: '1', LANG: 'C' });
  for (const style of Object.values(plain)) t.notHas(style, { color: String });
  const state = firstState(URL, statusOf({ pools: [poolOf('a'.repeat(40), { outage: 'TETHER_X' })] }));
  const text = linesOf({ ...state, recent: { ...state.recent, lag: [1, 2, 3] } }, 80, 24, plain).join('\n');
  t.match(text, '>!');
  t.match(text, 'aaa~ outage');
  t.match(text, /^[\n\x20-\x7e]*$/);
  t.equal(themeOf({ NO_COLOR: '' }).critical.color, 'red', 'an empty value is none');
});
