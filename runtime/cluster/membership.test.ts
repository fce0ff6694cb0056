import t from 'tap';
import {
  type Announcement,
  EMPTY_VIEW,
  forgettable,
  gatewaysOf,
  observe,
  ownersOf,
  placeable,
} from './membership.js';

const policy = { aliveMs: 2_500, gapMsMax: 1_000 };

function says(node: string, beat: number, more: Partial<Announcement> = {}): Announcement {
  return { node, incarnation: '1', beat, state: 'active', ...more };
}

/** Looks every 500 ms from `fromMs` up to `toMs`; what is seen is the same each time. */
function look(view = EMPTY_VIEW, fromMs: number, toMs: number, beats: readonly Announcement[]) {
  let seen = view;
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 500) seen = observe(nowMs, seen, beats, policy);
  return seen;
}

t.test('a node is live at once, and until its beat has stood still for aliveMs', (t) => {
  let view = look(EMPTY_VIEW, 0, 2_000, [says('a', 5)]);
  t.same(placeable(view, policy), ['a']);
  view = observe(2_500, view, [says('a', 5)], policy);
  t.same(placeable(view, policy), []);
  t.same(placeable(observe(3_000, view, [says('a', 6)], policy), policy), ['a'], 'it is back');
  t.same(
    placeable(observe(3_000, view, [says('a', 5, { incarnation: '2' })], policy), policy),
    ['a'],
    'a new process with the same beat is news',
  );
  t.end();
});

t.test('the beat is compared, never ordered: a counter that starts again is news', (t) => {
  const view = look(EMPTY_VIEW, 0, 2_000, [says('a', 500)]);
  t.same(placeable(observe(2_500, view, [says('a', 1)], policy), policy), ['a']);
  t.end();
});

t.test('a node that leaves is not placed on', (t) => {
  t.same(
    placeable(observe(0, EMPTY_VIEW, [says('a', 1, { state: 'leaving' }), says('b', 1)], policy), policy),
    ['b'],
  );
  t.end();
});

t.test('after a pause of ours nobody is dead because we did not look', (t) => {
  const before = look(EMPTY_VIEW, 0, 1_000, [says('a', 1), says('b', 1)]);
  const back = observe(61_000, before, [says('a', 1), says('b', 99)], policy);
  t.same(placeable(back, policy), ['a', 'b']);
  t.same(
    placeable(look(back, 61_500, 62_000, [says('a', 1), says('b', 99)]), policy),
    ['b'],
    'but one that stays silent is',
  );
  t.same(
    placeable(observe(0, before, [says('a', 1)], policy), policy),
    ['a', 'b'],
    'time that goes back counts as none',
  );
  t.end();
});

t.test('a record that vanished ages, and is gone from the view in the end', (t) => {
  const before = look(EMPTY_VIEW, 0, 500, [says('a', 1), says('b', 1)]);
  t.same(placeable(look(before, 1_000, 2_000, []), policy), ['a', 'b']);
  const after = look(before, 1_000, 3_500, []);
  t.same(placeable(after, policy), []);
  t.equal(after.nodes.size, 0);
  t.end();
});

t.test('the record of a node that has been silent for long may go', (t) => {
  const view = look(EMPTY_VIEW, 0, 59_500, [says('a', 1)]);
  t.same(forgettable(view, 60_000), []);
  t.same(forgettable(observe(60_000, view, [says('a', 1)], policy), 60_000), ['a']);
  t.end();
});

t.test('who reads what, and who only takes messages in, as the live ones say', (t) => {
  const beats = [
    says('a', 1, { owned: [0, 2] }),
    says('b', 1, { owned: [1] }),
    says('earlier', 1),
    says('g', 1, { state: 'leaving', role: 'gateway' }),
  ];
  const view = observe(0, EMPTY_VIEW, beats, policy);
  t.strictSame([...ownersOf(view, policy)].sort(), [
    [0, 'a'],
    [1, 'b'],
    [2, 'a'],
  ]);
  t.same(gatewaysOf(view, policy), ['g']);
  t.same(placeable(view, policy), ['a', 'b', 'earlier'], 'nothing is placed on a gateway');
  const silent = look(view, 500, 3_000, beats);
  t.equal(ownersOf(silent, policy).size, 0, 'a silent node reads nothing');
  t.same(gatewaysOf(silent, policy), []);
  t.end();
});
